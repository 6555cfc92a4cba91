// One number for each row and the sigmoid of it: the output of a binary classifier. Letters: R rows, D width.
// Every op here throws Error on shapes that do not fit together.
#pragma once

#include <vector>

#include "heed/ops/output.h"

namespace heed {

// z = x w + b with x [R, D], w [1, D], b [1]; p = sigmoid(z) is the probability of class 1. targets [R], 0 or
// 1, of which smoothing moves half to the other class. The loss is the binary cross-entropy
//   -(y log p + (1 - y) log(1 - p)),
// computed from z without overflow. Throws InputError for another target.
OutputLoss sigmoid_loss(Context& c, const Var& x, const Parameter& weight, const Parameter& bias,
                        const std::vector<int32_t>& targets, double smoothing = 0.0);

// log(1 - p) and log p: [R, 2] f32.
Tensor sigmoid_log_probs(Context& c, const Tensor& x, const Parameter& weight, const Parameter& bias);

}  // namespace heed
