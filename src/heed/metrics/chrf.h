// chrF (Popovic 2015) and chrF++ (2017, two word orders) with the digits and the signature of
// sacreBLEU 2.6.0.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "heed/metrics/score.h"

namespace heed {

struct ChrfOptions {
  int char_order = 6;
  int word_order = 0;  // 2 for chrF++
  int beta = 2;        // recall counts beta times as much as precision
  bool lowercase = false;
  bool whitespace = false;  // white space counts as characters
};

// The statistics of a corpus: add sentences, merge with another part's, score.
class Chrf {
 public:
  struct OrderCounts {
    int64_t hypothesis = 0;
    int64_t reference = 0;
    int64_t matches = 0;
  };

  explicit Chrf(ChrfOptions options = {});
  // The reference with the best score counts. Throws InputError for text that is not UTF-8, Error without a
  // reference.
  void add(const std::string& hypothesis, std::span<const std::string> references);
  void merge(const Chrf& other);
  MetricScore score() const;

 private:
  double f_score(const std::vector<OrderCounts>& orders) const;

  ChrfOptions options_;
  ReferenceCount references_;
  std::vector<OrderCounts> orders_;  // of characters, then of words
};

}  // namespace heed
