#include "heed/kernels/optimiser.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "heed/kernels/reference/optimiser.h"
#include "tests/support/levels.h"
#include "tests/support/random_values.h"
#include "tests/support/tolerance.h"

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

TEST(Adam, AgreesWithThePlainOneOnAnyNumberOfThreads) {
  test::on_each_level([&] {
    for (const int64_t size : {0, 1, 7, 64, 1001, 50000}) {
      const auto gradient = test::normal_values<float>(size, 1, 0.1);
      struct State {
        std::vector<float> weight, m, v;
      };
      const auto start = [&] {
        State state{test::normal_values<float>(size, 2), test::normal_values<float>(size, 3, 0.1),
                    test::normal_values<float>(size, 4, 0.1)};
        for (float& v : state.v) v *= v;
        return state;
      };
      AdamArgs args{.size = size};
      args.gradient = gradient.data();
      args.gradient_scale = 0.7f;
      args.rate = 0.01f;
      args.decay = 0.1f;
      args.correction1 = 0.19f;
      args.correction2 = 0.0396f;
      const auto hold = [&](State& state) {
        args.weight = state.weight.data();
        args.m = state.m.data();
        args.v = state.v.data();
      };
      State plain = start(), first = start();
      hold(plain);
      reference::adam(args);
      for (const int threads : {1, 2, 7}) {
        State fast = start();
        hold(fast);
        ThreadPool pool(threads);
        adam(pool, args);
        if (threads == 1) first = fast;
        test::expect_close(fast.weight, plain.weight, 8, "weight");
        test::expect_close(fast.m, plain.m, 2, "m");
        test::expect_close(fast.v, plain.v, 2, "v");
        if (testing::Test::HasFatalFailure()) return;
        ASSERT_EQ(fast.weight, first.weight);
      }
    }
  });
}

TEST(SquaredNorm, IsExactInDoubleAndTheSameOnAnyNumberOfThreads) {
  test::on_each_level([&] {
    for (const int64_t size : {0, 1, 7, 100, 65536, 65537, 300001}) {
      const auto x = test::normal_values<float>(size, 1);
      ThreadPool one(1);
      const double norm = squared_norm(one, size, x.data());
      // Squares of floats are exact in double; only the order of additions differs.
      EXPECT_NEAR(norm, reference::squared_norm(size, x.data()), 1e-12 * (norm + 1));
      for (const int threads : {2, 3, 7}) {
        ThreadPool pool(threads);
        EXPECT_EQ(squared_norm(pool, size, x.data()), norm);
      }
    }
  });
}

TEST(SquaredNorm, NaNAndInfinityComeThrough) {
  test::on_each_level([&] {
    ThreadPool pool(2);
    std::vector<float> x(100000, 1.0f);
    x[77777] = std::numeric_limits<float>::infinity();
    EXPECT_TRUE(std::isinf(squared_norm(pool, 100000, x.data())));
    x[99999] = std::numeric_limits<float>::quiet_NaN();
    EXPECT_TRUE(std::isnan(squared_norm(pool, 100000, x.data())));
  });
}

}  // namespace
}  // namespace heed::kernels
