#include "heed/kernels/optimiser.h"

#include <gtest/gtest.h>

#include <cmath>

#include "heed/kernels/reference/optimiser.h"
#include "tests/support/random_values.h"

namespace heed::kernels {
namespace {

TEST(AdamReference, ThreeStepsByHand) {
  // In double, straight from algorithm 1 of the paper with decoupled decay.
  float weight = 0.5f, m = 0, v = 0;
  double w = 0.5, dm = 0, dv = 0;
  for (int t = 1; t <= 3; ++t) {
    const float gradient = 0.3f * static_cast<float>(t) - 0.5f;
    reference::adam({.size = 1,
                     .weight = &weight,
                     .gradient = &gradient,
                     .m = &m,
                     .v = &v,
                     .gradient_scale = 0.5f,
                     .rate = 0.01f,
                     .beta1 = 0.9f,
                     .beta2 = 0.98f,
                     .epsilon = 1e-8f,
                     .decay = 0.1f,
                     .correction1 = 1.0f - std::pow(0.9f, static_cast<float>(t)),
                     .correction2 = 1.0f - std::pow(0.98f, static_cast<float>(t))});
    const double g = gradient * 0.5;
    dm = 0.9 * dm + 0.1 * g;
    dv = 0.98 * dv + 0.02 * g * g;
    const double step = dm / (1 - std::pow(0.9, t)) / (std::sqrt(dv / (1 - std::pow(0.98, t))) + 1e-8);
    w -= 0.01 * step + 0.01 * 0.1 * w;
    EXPECT_NEAR(weight, w, 1e-6);  // f32: 2^-24 relative an operation, and 1 - 0.98 in f32 is 1e-6 off
  }
}

}  // namespace
}  // namespace heed::kernels
