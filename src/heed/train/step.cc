#include "heed/train/step.h"

namespace heed {

LossAndGradients loss_and_gradients(Context& c, const Objective& objective, ParameterStore& parameters,
                                    const Batch& batch, int64_t update, uint64_t random_key) {
  c.random_key = random_key;
  Tape tape;
  const AsInTraining mode(c, &tape);
  try {
    const BatchLoss loss = objective.loss(c, batch, update);
    // The backward pass wants the other packed form of most weights: not holding both spares a copy of all.
    for (const auto& parameter : parameters.all()) parameter->forget_packed();
    tape.backward(c, loss.sum);
    return {loss.sum.value.item(), loss.count, take_gradients(c, parameters)};
  } catch (...) {
    // The next step must not add to what this one left.
    for (const auto& parameter : parameters.all()) parameter->gradient() = Gradient();
    throw;
  }
}

}  // namespace heed
