#include "heed/models/passes.h"

namespace heed {

OutputLoss loss_of_passes(Context& c, const Var& states, const std::function<Var()>& second,
                          const Parameter& weight, const Parameter* bias, const std::vector<int32_t>& targets,
                          const LossOptions& options) {
  if (options.taught)
    return distillation_loss(c, states, weight, bias, targets, options.smoothing, options.taught,
                             options.taught_share);
  if (options.r_drop == 0.0) return output_loss(c, states, weight, bias, targets, options.smoothing);
  const uint64_t key = c.random_key;
  c.random_key = mix64(key, 1);  // the second pass drops out elsewhere
  const Var again = second();
  c.random_key = key;
  return r_drop_loss(c, states, again, weight, bias, targets, options.smoothing, options.r_drop);
}

}  // namespace heed
