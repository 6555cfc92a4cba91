// The loss of a model with a softmax over words or classes, read once or, with R-Drop, twice; taught or not.
#pragma once

#include <functional>
#include <vector>

#include "heed/models/model.h"
#include "heed/ops/output.h"

namespace heed {

// states [N, D]: those of the first pass; `second` computes them again, with other dropout, where
// options.r_drop asks for it and nothing is taught. targets [N].
OutputLoss loss_of_passes(Context& c, const Var& states, const std::function<Var()>& second,
                          const Parameter& weight, const Parameter* bias, const std::vector<int32_t>& targets,
                          const LossOptions& options);

}  // namespace heed
