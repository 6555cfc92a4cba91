// The output projection with what follows it: softmax and cross-entropy, or the best words. One op each: the
// logits of a batch are never stored. Letters: R rows, D width, V words.
#pragma once

#include <span>
#include <vector>

#include "heed/autograd/parameter.h"

namespace heed {

struct OutputLoss {
  Var sum;          // scalar f32: sum over rows of the smoothed loss
  Tensor row_loss;  // [R] f32, smoothed
  Tensor log_prob;  // [R] f32, log p(target), not smoothed
};

// logits = x W^T + b with x [R, D], W [V, D], b [V] or null; targets [R].
// Throws InputError for a target outside the vocabulary.
OutputLoss output_loss(Context& c, const Var& x, const Parameter& weight, const Parameter* bias,
                       const std::vector<int32_t>& targets, double smoothing = 0.0);

// The k best words of each row, best first, ties to the smaller id; row_bias [R, V] (or empty) is added to
// the log-probabilities.
struct TopWords {
  std::vector<int32_t> ids;      // [R, k]
  std::vector<float> log_probs;  // [R, k]
};
TopWords output_top_k(Context& c, const Tensor& x, const Parameter& weight, const Parameter* bias, int64_t k,
                      std::span<const float> row_bias = {});

// The log-probability of every word: [R, V] f32.
Tensor output_log_probs(Context& c, const Tensor& x, const Parameter& weight, const Parameter* bias);

}  // namespace heed
