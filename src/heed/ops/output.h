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

// R-Drop (Wu, Liang et al. 2021): the batch went through the model twice, dropped out differently, and the
// two distributions p = softmax(first W^T + b) and q = softmax(second W^T + b) are drawn together (eq. 4 of
// the paper):
//   sum over rows of CE(p, target) + CE(q, target) + alpha / 2 * (KL(p || q) + KL(q || p))
// with both cross-entropies smoothed as in output_loss. first, second [R, D]; log_prob is that of p.
OutputLoss r_drop_loss(Context& c, const Var& first, const Var& second, const Parameter& weight,
                       const Parameter* bias, const std::vector<int32_t>& targets, double smoothing,
                       double alpha);

// Word-level knowledge distillation (Hinton et al. 2015; Kim & Rush 2016, section 3.1): other models'
// probabilities of every word, taught [R, V] f32, take the given share of what is wanted:
//   sum over rows of (1 - share) CE(p, target) - share sum over words of taught log p
// with the cross-entropy smoothed as in output_loss. 0 <= share <= 1.
OutputLoss distillation_loss(Context& c, const Var& x, const Parameter& weight, const Parameter* bias,
                             const std::vector<int32_t>& targets, double smoothing, const Tensor& taught,
                             double share);

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
