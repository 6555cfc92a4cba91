// Adam (Kingma & Ba 2015) and AdamW (Loshchilov & Hutter 2019) over all of a model's weights, with the
// learning rate's schedule.
#pragma once

#include <vector>

#include "heed/base/config.h"
#include "heed/nn/parameters.h"

namespace heed {

enum class Schedule { inverse_sqrt, noam, cosine, constant };

struct OptimiserConfig {
  double learning_rate = 1e-3;
  Schedule schedule = Schedule::inverse_sqrt;
  int64_t warmup = 1000;
  double final_rate = 0.0;
  double beta1 = 0.9;
  double beta2 = 0.98;
  double epsilon = 1e-9;
  double weight_decay = 0.0;
  double clip_norm = 0.0;

  void visit(ConfigVisitor& v);
};

// The rate of an update, from 1. Warm-up is linear from 0 to learning_rate (noam: to learning_rate *
// width^-0.5 * warmup^-0.5), then
//   inverse_sqrt: learning_rate * sqrt(warmup / update)
//   noam: learning_rate * width^-0.5 * min(update^-0.5, update * warmup^-1.5)  (Vaswani et al. 2017, eq. 3)
//   cosine: half a cosine from learning_rate to final_rate at the last of `updates`, which may be a guess
//   constant: learning_rate
double learning_rate(const OptimiserConfig& config, int64_t update, double updates, int64_t width);

// One gradient for each parameter, in the store's order; empty tensors where a parameter had none.
using Gradients = std::vector<Tensor>;

class Adam {
 public:
  Adam(const OptimiserConfig& config, ParameterStore& parameters);

  // weights -= ... with gradients scaled by `scale` and then clipped to clip_norm. Returns the norm of the
  // scaled gradients before clipping; when that is not finite nothing was changed. update counts from 1.
  double step(Context& c, const Gradients& gradients, double scale, double rate, int64_t update);

  // First and second moments, in the order of the parameters.
  const std::vector<Tensor>& first_moments() const { return m_; }
  const std::vector<Tensor>& second_moments() const { return v_; }

 private:
  OptimiserConfig config_;
  ParameterStore& parameters_;
  std::vector<Tensor> m_, v_;
};

// Sums the gradients of an update's micro-batches in a fixed binary tree over their index, so that it does
// not matter where or when each was computed.
class GradientTree {
 public:
  void add(Context& c, Gradients gradients);
  // What was added; empties the tree.
  Gradients sum(Context& c);

 private:
  struct Partial {
    int level;
    Gradients gradients;
  };
  void merge_last_two(Context& c);
  std::vector<Partial> partials_;
};

// Takes the parameters' gradients out of them.
Gradients take_gradients(Context& c, ParameterStore& parameters);

}  // namespace heed
