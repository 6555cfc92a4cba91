// Translation edit rate (Snover et al. 2006) with the digits and the signature of sacreBLEU 2.6.0, which
// follows Tercom: edits and shifts of word sequences needed to make the closest reference of the hypothesis,
// over the references' mean length.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "heed/metrics/metric_text.h"
#include "heed/metrics/score.h"

namespace heed {

// The statistics of a corpus: add sentences, merge with another part's, score.
class Ter {
 public:
  explicit Ter(TercomOptions options = {}) : options_(options) {}
  // Throws InputError for text that is not UTF-8, Error without a reference.
  void add(const std::string& hypothesis, std::span<const std::string> references);
  void merge(const Ter& other);
  MetricScore score() const;

 private:
  TercomOptions options_;
  ReferenceCount references_;
  int64_t edits_ = 0;
  double reference_length_ = 0;
};

}  // namespace heed
