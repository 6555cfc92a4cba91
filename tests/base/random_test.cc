#include "heed/base/random.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

namespace heed {
namespace {

TEST(Random, KeysDependOnTheOrderOfTheirNumbers) {
  EXPECT_NE(mix64(mix64(3), 5), mix64(mix64(5), 3));
  EXPECT_NE(mix64(mix64(4), 4), mix64(mix64(5), 5));
  std::set<uint64_t> keys;
  for (uint64_t a = 0; a < 100; ++a) {
    for (uint64_t b = 0; b < 100; ++b) keys.insert(mix64(mix64(a), b));
  }
  EXPECT_EQ(keys.size(), 10000u);
}

TEST(Random, UniformAndNormalHaveTheirMoments) {
  double sum = 0, squares = 0, normal_sum = 0, normal_squares = 0;
  constexpr int kDraws = 100000;
  for (int i = 0; i < kDraws; ++i) {
    const double u = uniform(7, i), n = normal(7, i);
    ASSERT_GE(u, 0.0);
    ASSERT_LT(u, 1.0);
    ASSERT_LT(uniform_below(7, i, 10), 10u);
    sum += u;
    squares += u * u;
    normal_sum += n;
    normal_squares += n * n;
  }
  // Five standard errors of each mean over so many draws.
  EXPECT_NEAR(sum / kDraws, 0.5, 5 * 0.289 / std::sqrt(kDraws));
  EXPECT_NEAR(squares / kDraws, 1.0 / 3.0, 5 * 0.298 / std::sqrt(kDraws));
  EXPECT_NEAR(normal_sum / kDraws, 0.0, 5 / std::sqrt(kDraws));
  EXPECT_NEAR(normal_squares / kDraws, 1.0, 5 * std::sqrt(2.0) / std::sqrt(kDraws));
}

}  // namespace
}  // namespace heed
