// What a metric says, and what the metrics share.
#pragma once

#include <fmt/core.h>

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "heed/base/error.h"

namespace heed {

inline constexpr const char* kSacrebleuVersion = "2.6.0";  // whose behaviour is reproduced

struct MetricScore {
  std::string name;       // "BLEU"
  double score = 0;       // 0 to 100
  std::string signature;  // "nrefs:1|case:mixed|..."
  std::string details;    // what follows the score on the line; may be empty

  // As sacreBLEU prints it: "BLEU|nrefs:1|... = 31.42 62.0/37.4/24.9/17.1 (BP = ...)".
  std::string line() const {
    return fmt::format("{}|{} = {:.2f}{}{}", name, signature, score, details.empty() ? "" : " ", details);
  }
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

// Adds a corpus: reference_columns[r][i] is the r-th reference of sentence i. Throws InputError for unequal
// counts.
template <class Metric>
void add_corpus(Metric& metric, const std::vector<std::string>& hypotheses,
                const std::vector<std::vector<std::string>>& reference_columns) {
  for (size_t r = 0; r < reference_columns.size(); ++r) {
    if (reference_columns[r].size() != hypotheses.size())
      fail_input("there are {} hypotheses but {} lines in reference {}; give one line for each",
                 hypotheses.size(), reference_columns[r].size(), r + 1);
  }
  for (size_t i = 0; i < hypotheses.size(); ++i) {
    std::vector<std::string> references;
    for (const auto& column : reference_columns) references.push_back(column[i]);
    metric.add(hypotheses[i], references);
  }
}

}  // namespace heed
