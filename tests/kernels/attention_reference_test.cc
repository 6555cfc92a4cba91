// The plain attention kernels against finite differences in f64 and against each other.
#include <gtest/gtest.h>

#include "heed/kernels/reference/attention.h"
#include "heed/tensor/layout.h"
#include "tests/support/gradient_check.h"
#include "tests/support/random_values.h"

namespace heed::kernels {
namespace {

using test::expect_gradient;
using test::normal_values;
using test::weighted_sum;
using Values = std::vector<double>;

struct Case {
  std::vector<int32_t> query_lengths, key_lengths;
  bool causal;
  float dropout;
};

class AttentionReference : public testing::TestWithParam<Case> {};

TEST_P(AttentionReference, GradientIsThatOfTheForwardPass) {
  const Case& which = GetParam();
  constexpr int64_t heads = 3, head_width = 4, width = heads * head_width;
  const Layout queries = Layout::of_lengths(which.query_lengths),
               keys = Layout::of_lengths(which.key_lengths);
  const int64_t q_size = queries.rows() * width, k_size = keys.rows() * width;
  Values q = normal_values<double>(q_size, 1), k = normal_values<double>(k_size, 2);
  Values v = normal_values<double>(k_size, 3);
  const Values d_out = normal_values<double>(q_size, 4);
  Values out(q_size), log_sum(queries.rows() * heads);
  const AttentionArgs<double> args{.sentences = queries.sentences(),
                                   .query_offsets = queries.offsets().data(),
                                   .key_offsets = keys.offsets().data(),
                                   .heads = heads,
                                   .head_width = head_width,
                                   .scale = 0.5f,
                                   .causal = which.causal,
                                   .dropout = {which.dropout, 21},
                                   .query_row_keys = queries.row_keys().data(),
                                   .q = q.data(),
                                   .k = k.data(),
                                   .v = v.data(),
                                   .q_stride = width,
                                   .k_stride = width,
                                   .v_stride = width,
                                   .out = out.data(),
                                   .out_stride = width,
                                   .log_sum = log_sum.data()};
  const auto forward = [&] {
    reference::attention(args);
    return weighted_sum(out, d_out);
  };
  forward();
  Values dq(q_size), dk(k_size), dv(k_size);
  reference::attention_gradient(AttentionGradientArgs<double>{.forward = args,
                                                              .d_out = d_out.data(),
                                                              .d_out_stride = width,
                                                              .dq = dq.data(),
                                                              .dk = dk.data(),
                                                              .dv = dv.data(),
                                                              .dq_stride = width,
                                                              .dk_stride = width,
                                                              .dv_stride = width});
  expect_gradient("q", q, dq, forward);
  expect_gradient("k", k, dk, forward);
  expect_gradient("v", v, dv, forward);
}

INSTANTIATE_TEST_SUITE_P(All, AttentionReference,
                         testing::Values(Case{{3, 1, 0, 5}, {3, 1, 0, 5}, false, 0.0f},
                                         Case{{3, 1, 0, 5}, {3, 1, 0, 5}, true, 0.0f},
                                         Case{{3, 1, 0, 5}, {3, 1, 0, 5}, true, 0.4f},
                                         Case{{2, 1, 0, 4}, {3, 5, 2, 0}, false, 0.0f},
                                         Case{{2, 1, 0, 4}, {3, 5, 2, 0}, false, 0.4f}));

TEST(AttentionReference, FourNumbersByHand) {
  // Two keys with scores ln 3 and 0: weights 3/4 and 1/4.
  const Values q = {1.0, 0.0}, k = {std::log(3.0), 5.0, 0.0, -2.0}, v = {4.0, 8.0, 0.0, 16.0};
  const int32_t one[] = {0, 1}, two[] = {0, 2};
  Values out(2), log_sum(1);
  reference::attention(AttentionArgs<double>{.sentences = 1,
                                             .query_offsets = one,
                                             .key_offsets = two,
                                             .heads = 1,
                                             .head_width = 2,
                                             .q = q.data(),
                                             .k = k.data(),
                                             .v = v.data(),
                                             .q_stride = 2,
                                             .k_stride = 2,
                                             .v_stride = 2,
                                             .out = out.data(),
                                             .out_stride = 2,
                                             .log_sum = log_sum.data()});
  EXPECT_NEAR(out[0], 3.0, 1e-12);
  EXPECT_NEAR(out[1], 10.0, 1e-12);
  EXPECT_NEAR(log_sum[0], std::log(4.0), 1e-12);
}

TEST(AttentionReference, StepsEqualTheSequence) {
  constexpr int64_t heads = 2, head_width = 3, width = heads * head_width, rows = 6;
  const Values q = normal_values<double>(rows * width, 1), k = normal_values<double>(rows * width, 2);
  const Values v = normal_values<double>(rows * width, 3);
  const int32_t offsets[] = {0, rows};
  Values whole(rows * width), steps(rows * width);
  reference::attention(AttentionArgs<double>{.sentences = 1,
                                             .query_offsets = offsets,
                                             .key_offsets = offsets,
                                             .heads = heads,
                                             .head_width = head_width,
                                             .causal = true,
                                             .q = q.data(),
                                             .k = k.data(),
                                             .v = v.data(),
                                             .q_stride = width,
                                             .k_stride = width,
                                             .v_stride = width,
                                             .out = whole.data(),
                                             .out_stride = width});
  // Query r against rows 0..r, named one by one.
  std::vector<int32_t> row_offsets = {0}, cache_rows;
  for (int32_t r = 0; r < rows; ++r) {
    for (int32_t j = 0; j <= r; ++j) cache_rows.push_back(j);
    row_offsets.push_back(static_cast<int32_t>(cache_rows.size()));
  }
  AttentionStepArgs<double> args{.queries = rows,
                                 .row_offsets = row_offsets.data(),
                                 .rows = cache_rows.data(),
                                 .heads = heads,
                                 .head_width = head_width,
                                 .q = q.data(),
                                 .k = k.data(),
                                 .v = v.data(),
                                 .q_stride = width,
                                 .k_stride = width,
                                 .v_stride = width,
                                 .out = steps.data(),
                                 .out_stride = width};
  reference::attention_step(args);
  for (int64_t i = 0; i < rows * width; ++i) EXPECT_NEAR(steps[i], whole[i], 1e-12);

  // The same rows as ranges.
  const std::vector<int32_t> first(rows, 0);
  args.rows = nullptr;
  args.first = first.data();
  Values ranges(rows * width);
  args.out = ranges.data();
  reference::attention_step(args);
  EXPECT_EQ(ranges, steps);
}

}  // namespace
}  // namespace heed::kernels
