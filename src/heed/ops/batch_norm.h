// Batch normalisation (Ioffe & Szegedy 2015) over ragged rows: there is no padding that statistics could
// count.
#pragma once

#include "heed/autograd/parameter.h"

namespace heed {

struct BatchNormParameters {
  const Parameter* gain = nullptr;  // [D]
  const Parameter* bias = nullptr;  // [D]
  // [D] f32 on the heap. Training moves them by `momentum` towards each batch's mean and variance (over R -
  // 1); otherwise they are what is normalised with.
  Tensor running_mean, running_variance;
  float momentum = 0.1f;
  float epsilon = 1e-5f;
};

// BatchNorm(x)  [R, D]: while c trains, by the statistics of these rows. Throws Error on parameters of
// another width than x, and on an x that is not dense.
Var batch_norm(Context& c, const Var& x, const BatchNormParameters& norm);

}  // namespace heed
