// The kernels of kernels/optimiser.h as plain loops: what the fast ones are held against.
#pragma once

#include <cmath>

#include "heed/kernels/optimiser.h"

namespace heed::kernels::reference {

inline void adam(const AdamArgs& args) {
  for (int64_t i = 0; i < args.size; ++i) {
    const float g = args.gradient[i] * args.gradient_scale;
    args.m[i] = args.beta1 * args.m[i] + (1.0f - args.beta1) * g;
    args.v[i] = args.beta2 * args.v[i] + (1.0f - args.beta2) * g * g;
    const float step =
        args.m[i] / args.correction1 / (std::sqrt(args.v[i] / args.correction2) + args.epsilon);
    args.weight[i] -= args.rate * step + args.rate * args.decay * args.weight[i];
  }
}

inline double squared_norm(int64_t size, const float* x) {
  double total = 0;
  for (int64_t i = 0; i < size; ++i) total += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return total;
}

}  // namespace heed::kernels::reference
