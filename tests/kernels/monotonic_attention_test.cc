// Monotonic attention against what it is the expectation of: every way to go forward, one by one.
#include "heed/kernels/monotonic_attention.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>

#include "heed/kernels/reference/monotonic_attention.h"
#include "tests/support/random_values.h"

namespace heed::kernels {
namespace {

constexpr int64_t kQueries = 4, kKeys = 3;

struct Example {
  std::vector<double> q = test::normal_values<double>(kQueries, 1, 1.0),
                      k = test::normal_values<double>(kKeys, 2, 2.0);
  std::vector<double> v = {1, 10, 100}, out = std::vector<double>(kQueries);
  std::vector<double> chosen = std::vector<double>(kQueries * kKeys), weights = chosen;
  double offset = 0.3;
  int32_t queries[2] = {0, kQueries}, begin = 0, end = kKeys, attended = 0, found[kQueries] = {};
  int64_t weight_begin = 0;
  uint64_t row_keys[kQueries] = {};

  MonotonicAttentionArgs<double> args() {
    return {.sentences = 1,
            .query_offsets = queries,
            .key_begin = &begin,
            .key_end = &end,
            .width = 1,
            .value_width = 1,
            .offset = &offset,
            .q = q.data(),
            .k = k.data(),
            .v = v.data(),
            .q_stride = 1,
            .k_stride = 1,
            .v_stride = 1,
            .out = out.data(),
            .weight_begin = &weight_begin,
            .chosen = chosen.data(),
            .weights = weights.data(),
            .query_row_keys = row_keys,
            .attended = &attended,
            .found = found};
  }
  double energy(int64_t i, int64_t j) const {
    return q[static_cast<size_t>(i)] * k[static_cast<size_t>(j)] + offset;
  }
};

TEST(MonotonicAttention, WeightsAreTheSumOverAllAlignments) {
  Example example;
  reference::expected_monotonic_attention(example.args(), 0);
  std::vector<double> expected(kQueries * kKeys);
  // From key `from`, query i passes by keys or chooses one; the rest of the sentence follows from there.
  const std::function<void(int64_t, int64_t, double)> go = [&](int64_t i, int64_t from, double probability) {
    if (i == kQueries) return;
    for (int64_t j = from; j < kKeys; ++j) {
      const double choose = 1 / (1 + std::exp(-example.energy(i, j)));
      expected[static_cast<size_t>(i * kKeys + j)] += probability * choose;
      go(i + 1, j, probability * choose);
      probability *= 1 - choose;
    }
  };
  go(0, 0, 1.0);
  for (size_t n = 0; n < expected.size(); ++n) EXPECT_NEAR(example.weights[n], expected[n], 1e-12) << n;
  for (size_t i = 0; i < kQueries; ++i) {
    const double* row = &expected[i * kKeys];
    EXPECT_NEAR(example.out[i], row[0] + 10 * row[1] + 100 * row[2], 1e-10);
  }
}

// Energies far from zero leave one alignment: the hard one.
TEST(MonotonicAttention, SureChoicesAreTheHardOnes) {
  Example soft, hard;
  for (double& q : soft.q) q *= 1000;
  hard.q = soft.q;
  reference::expected_monotonic_attention(soft.args(), 0);
  reference::hard_monotonic_attention(hard.args(), 0);
  for (size_t i = 0; i < kQueries; ++i) EXPECT_NEAR(soft.out[i], hard.out[i], 1e-9) << i;
}

// By hand: the second query passes the first key by, the third finds nothing from there on, nor does the
// fourth.
TEST(MonotonicAttention, NothingIsGoneBackTo) {
  Example example;
  example.offset = 0;
  example.k = {1, -1, -2};
  example.q = {1, -1, 1, 1};
  reference::hard_monotonic_attention(example.args(), 0);
  EXPECT_EQ(example.out, (std::vector<double>{1, 10, 0, 0}));
  EXPECT_EQ(std::vector<int32_t>(example.found, example.found + kQueries),
            (std::vector<int32_t>{0, 1, -1, -1}));
  EXPECT_EQ(example.attended, 3);
}

}  // namespace
}  // namespace heed::kernels
