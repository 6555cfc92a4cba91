// One forward and one backward pass: what every training loop is made of.
#pragma once

#include <cstdint>

#include "heed/train/objective.h"
#include "heed/train/optimiser.h"

namespace heed {

struct LossAndGradients {
  double loss = 0.0;   // the sum over `count`
  double count = 0.0;  // target tokens, or whatever the loss is a mean over
  Gradients gradients;
};

// random_key: of (seed, update, micro-batch); dropout draws from it. update counts from 1. The caller resets
// c.arena once the gradients are used up. Where something throws, no gradient is left.
LossAndGradients loss_and_gradients(Context& c, const Objective& objective, ParameterStore& parameters,
                                    const Batch& batch, int64_t update, uint64_t random_key);

}  // namespace heed
