// One pass over a parameter: clip, decay, update.
#pragma once

#include <cstdint>

#include "heed/tensor/thread_pool.h"

namespace heed::kernels {

// Adam (Kingma & Ba 2015), AdamW's decoupled decay (Loshchilov & Hutter 2019). g = gradient * gradient_scale;
// m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2;
// w -= rate * (m / (1 - b1^t)) / (sqrt(v / (1 - b2^t)) + epsilon) + rate * decay * w.
struct AdamArgs {
  int64_t size = 0;
  float* weight = nullptr;
  const float* gradient = nullptr;
  float* m = nullptr;
  float* v = nullptr;
  float gradient_scale = 1.0f;
  float rate = 0.0f, beta1 = 0.9f, beta2 = 0.98f, epsilon = 1e-9f, decay = 0.0f;
  float correction1 = 1.0f, correction2 = 1.0f;  // 1 - beta^t
};
void adam(ThreadPool& pool, const AdamArgs& args);

// Sum of squares in double, in fixed chunks combined in ascending order. NaN and infinity come through.
double squared_norm(ThreadPool& pool, int64_t size, const float* x);

}  // namespace heed::kernels
