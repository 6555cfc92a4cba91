// Scheduled sampling (Bengio, Vinyals, Jaitly & Shazeer 2015, "Scheduled Sampling for Sequence Prediction
// with Recurrent Neural Networks"): in training the decoder reads some of its own predictions in the place of
// gold tokens. No gradient flows through a choice, so that models first choose their inputs and then learn
// from them as from gold ones. Letters: R rows (tokens of the target), D width of what the output layer
// reads.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "heed/autograd/parameter.h"
#include "heed/tensor/context.h"
#include "heed/tensor/layout.h"

namespace heed {

struct ScheduledSampling {
  double teacher_forcing = 1.0;  // the probability of the gold token (epsilon); 1: always
  bool sample = false;           // predictions are drawn from the model's distribution, not its arg max
};

// Which inputs of the decoder are predictions: a function of (seed, update, batch; the sentence's number and
// the position), whoever else is in the batch.
class InputChoice {
 public:
  InputChoice(const Context& c, const ScheduledSampling& options, const Layout& target)
      : options_(options), target_(target), key_(c.key(kSite)) {}

  // Whether the input of this row is what the model predicts in the row before it; never of a first row.
  bool is_predicted(int32_t row) const;
  // The predictions in these rows of the batch: states [N, D] is what the output layer reads for each.
  std::vector<int32_t> predict(Context& c, const Tensor& states, std::span<const int32_t> rows,
                               const Parameter& weight, const Parameter* bias) const;

 private:
  static constexpr uint64_t kSite = 0x7363686564756c65;  // "schedule"

  ScheduledSampling options_;
  Layout target_;
  uint64_t key_;
};

}  // namespace heed
