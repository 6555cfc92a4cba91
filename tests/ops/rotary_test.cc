// What rotary positions promise.
#include "heed/ops/rotary.h"

#include <gtest/gtest.h>

#include <numeric>

#include "tests/support/random_values.h"

namespace heed::test {
namespace {

constexpr int64_t kWidth = 16, kLength = 40;

// `vector` as it is after turning at each of kLength positions: [kLength, kWidth]
Tensor turned_everywhere(Context& c, const std::vector<float>& vector) {
  const Tensor x = c.allocate({kLength, kWidth});
  for (int64_t t = 0; t < kLength; ++t) std::copy(vector.begin(), vector.end(), x.row<float>(t));
  SinusoidalPositions angles(kWidth, SinusoidalPositions::Order::halves);
  return rotary(c, Var(x), Layout::of_lengths(std::vector<int32_t>{kLength}), angles, kWidth).value;
}

float score(const Tensor& queries, int64_t t, const Tensor& keys, int64_t s) {
  return std::inner_product(queries.row<float>(t), queries.row<float>(t) + kWidth, keys.row<float>(s), 0.0f);
}

TEST(Rotary, AScoreKnowsTheDistanceAndNothingElseOfPositions) {
  Context c(1);
  const std::vector<float> query = normal_values<float>(kWidth, 1), key = normal_values<float>(kWidth, 2);
  const Tensor queries = turned_everywhere(c, query), keys = turned_everywhere(c, key);
  const float unturned = std::inner_product(query.begin(), query.end(), key.begin(), 0.0f);
  EXPECT_NEAR(score(queries, 0, keys, 0), unturned, 1e-6f);
  bool differs = false;
  for (int64_t distance = 0; distance < kLength; ++distance) {
    const float first = score(queries, distance, keys, 0);
    differs |= std::abs(first - unturned) > 0.1f;
    // 16 products near 1, each rounded three times to 6e-8.
    for (int64_t s = 1; s + distance < kLength; ++s)
      EXPECT_NEAR(score(queries, s + distance, keys, s), first, 2e-5f) << distance << " apart, from " << s;
  }
  EXPECT_TRUE(differs);
}

TEST(Rotary, ColumnsThatDoNotDivideIntoHeadsAreRefused) {
  Context c(1);
  const Layout layout = Layout::of_lengths(std::vector<int32_t>{2});
  const Var x(c.allocate({2, 12}));
  SinusoidalPositions four(4, SinusoidalPositions::Order::halves),
      three(3, SinusoidalPositions::Order::halves);
  EXPECT_NO_THROW(rotary(c, x, layout, four, 12));
  EXPECT_THROW(rotary(c, x, layout, four, 10), Error);
  EXPECT_THROW(rotary(c, x, layout, four, 16), Error);
  EXPECT_THROW(rotary(c, x, layout, three, 12), Error);
  EXPECT_THROW(rotary(c, x, Layout::of_lengths(std::vector<int32_t>{3}), four, 12), Error);
}

}  // namespace
}  // namespace heed::test
