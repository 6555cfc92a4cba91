// BLEU (Papineni et al. 2002) with the digits and the signature of sacreBLEU 2.6.0 (Post 2018).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "heed/metrics/metric_text.h"
#include "heed/metrics/score.h"

namespace heed {

enum class BleuSmoothing { kExp, kFloor, kAddK, kNone };  // Chen & Cherry 2014: methods 3, 1, 2

struct BleuOptions {
  MetricTokenizer tokenizer = MetricTokenizer::k13a;
  bool lowercase = false;
  bool effective_order = false;  // for single sentences: orders longer than the hypothesis do not count
  BleuSmoothing smoothing = BleuSmoothing::kExp;
  double smooth_value = -1;  // floor or k; below zero: 0.1 and 1
};

// The statistics of a corpus: add sentences, merge with another part's, score.
class Bleu {
 public:
  static constexpr int kOrder = 4;
  explicit Bleu(BleuOptions options = {}) : options_(options) {}
  // Throws InputError for text that is not UTF-8, Error without a reference.
  void add(const std::string& hypothesis, std::span<const std::string> references);
  void merge(const Bleu& other);
  MetricScore score() const;

 private:
  BleuOptions options_;
  ReferenceCount references_;
  int64_t hypothesis_length_ = 0;
  int64_t reference_length_ = 0;
  std::array<int64_t, kOrder> correct_ = {};
  std::array<int64_t, kOrder> total_ = {};
};

}  // namespace heed
