// The output projection with softmax and cross-entropy as one op: the logits of a batch are never stored.
#pragma once

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

}  // namespace heed
