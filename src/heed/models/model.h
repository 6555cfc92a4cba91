// What every model is to the commands that train, describe and average it.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "heed/models/scheduled_sampling.h"
#include "heed/nn/attention/guided_loss.h"
#include "heed/nn/parameters.h"

namespace heed {

// What a model is, in a line and in numbers.
struct ModelSummary {
  std::string text;  // "transformer 6+6, width 512, 8 heads"
  std::string type;  // as in the configuration
  std::vector<std::pair<std::string, int64_t>> sizes;
};

struct LossOptions {
  double smoothing = 0.0;  // of the labels
  double r_drop = 0.0;     // alpha of R-Drop (Wu, Liang et al. 2021); above 0 the batch is read twice

  // Of models that write: other models' probabilities of every word at each target token [R_t, V] f32, and
  // their share in what is wanted (distillation_loss). None while empty.
  Tensor taught = {};
  double taught_share = 0.0;

  GuidedAttentionOptions guided_attention = {};
  ScheduledSampling scheduled_sampling = {};
};

class Model {
 public:
  virtual ~Model() = default;

  virtual ParameterStore& parameters() = 0;
  virtual const ParameterStore& parameters() const = 0;
  virtual ModelSummary summary() const = 0;
};

}  // namespace heed
