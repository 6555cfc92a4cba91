// What a metric says, and what the metrics share.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heed/base/error.h"

namespace heed {

inline constexpr const char* kSacrebleuVersion = "2.6.0";  // whose behaviour is reproduced

// How one class of labels fared; rates from 0 to 100.
struct ClassScore {
  std::string label;
  double precision = 0;
  double recall = 0;
  double f1 = 0;
  int64_t count = 0;  // in the references
};

struct MetricScore {
  std::string name;                 // "BLEU"
  double score = 0;                 // 0 to 100; error rates may be above, and less is better
  std::string signature;            // "nrefs:1|case:mixed|..."
  std::string details;              // what follows the score on the line; may be empty
  std::vector<ClassScore> classes;  // F1's

  // As sacreBLEU prints it: "BLEU|nrefs:1|... = 31.42 62.0/37.4/24.9/17.1 (BP = ...)".
  std::string line() const;
  // An object with sacreBLEU's fields: name, score (all its digits), signature, verbose_score if there are
  // details, each part of the signature; and by_class if there are classes.
  std::string json() const;
};

// The number of references as signatures say it: "2", or "var" where sentences differ.
class ReferenceCount {
 public:
  void add(int64_t count) { count_ = count_ == 0 || count_ == count ? count : -1; }
  void merge(const ReferenceCount& other) {
    if (other.count_ != 0) add(other.count_);
  }
  std::string text() const { return count_ < 0 ? "var" : std::to_string(count_); }

 private:
  int64_t count_ = 0;
};

// In these, columns[r][i] is the r-th reference of sentence i.

// Throws InputError for unequal counts.
void check_line_counts(const std::vector<std::string>& hypotheses,
                       const std::vector<std::vector<std::string>>& columns);

std::vector<std::string> references_of(const std::vector<std::vector<std::string>>& columns, size_t sentence);

// Adds a corpus. Throws InputError for unequal counts.
template <class Metric>
void add_corpus(Metric& metric, const std::vector<std::string>& hypotheses,
                const std::vector<std::vector<std::string>>& columns) {
  check_line_counts(hypotheses, columns);
  for (size_t i = 0; i < hypotheses.size(); ++i) metric.add(hypotheses[i], references_of(columns, i));
}

}  // namespace heed
