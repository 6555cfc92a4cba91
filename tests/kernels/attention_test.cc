// The fast attention kernels against the plain ones, on every level, with NaN in all memory that is not
// theirs; the same bytes with any number of threads, alone and in any batch.
#include "heed/kernels/attention.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "heed/kernels/reference/attention.h"
#include "heed/tensor/layout.h"
#include "tests/support/bytes.h"
#include "tests/support/levels.h"
#include "tests/support/random_values.h"
#include "tests/support/tolerance.h"

namespace heed::kernels {
namespace {

using test::expect_close;
using test::normal_values;
using test::on_each_level;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

// A matrix whose rows are a slice of wider, misaligned ones; NaN around it.
template <class T>
struct Slice {
  int64_t rows, width, stride;
  std::vector<T> all;

  Slice(int64_t rows, int64_t width)
      : rows(rows), width(width), stride(2 * width + 3), all(rows * stride + 1, static_cast<T>(kNaN)) {}
  static Slice normal(int64_t rows, int64_t width, uint64_t seed) {
    Slice slice(rows, width);
    const auto values = normal_values<T>(rows * width, seed);
    for (int64_t r = 0; r < rows; ++r)
      std::copy_n(values.begin() + r * width, width, slice.data() + r * slice.stride);
    return slice;
  }
  T* data() { return all.data() + 1; }
  T* row(int64_t r) { return data() + r * stride; }
  std::vector<T> dense() {
    std::vector<T> values;
    for (int64_t r = 0; r < rows; ++r) values.insert(values.end(), row(r), row(r) + width);
    return values;
  }
  bool operator==(const Slice& other) const { return test::same_bytes(all, other.all); }
};

struct Case {
  std::vector<int32_t> query_lengths, key_lengths;
  int64_t heads, head_width;
  bool causal;
  float dropout;
};

const Case kCases[] = {
    {{14, 1, 0, 17, 5}, {14, 1, 0, 17, 5}, 4, 32, false, 0.0f},
    {{14, 1, 0, 17, 5}, {14, 1, 0, 17, 5}, 4, 32, true, 0.0f},
    {{14, 1, 0, 17, 5}, {14, 1, 0, 17, 5}, 2, 64, true, 0.3f},
    {{3, 7, 0, 20}, {9, 33, 4, 0}, 3, 20, false, 0.0f},
    {{3, 7, 0, 20}, {9, 33, 4, 0}, 3, 7, false, 0.3f},
    {{64, 65, 130}, {64, 65, 130}, 1, 16, true, 0.2f},
    {{63, 129, 2}, {130, 64, 200}, 1, 16, false, 0.2f},
};

template <class T>
struct Problem {
  Layout queries, keys;
  Slice<T> q, k, v, d_out;
  Slice<T> out, dq, dk, dv;
  std::vector<float> log_sum;
  AttentionArgs<T> forward;
  AttentionGradientArgs<T> gradient;

  explicit Problem(const Case& which)
      : queries(Layout::of_lengths(which.query_lengths)),
        keys(Layout::of_lengths(which.key_lengths)),
        q(Slice<T>::normal(queries.rows(), which.heads * which.head_width, 1)),
        k(Slice<T>::normal(keys.rows(), q.width, 2)),
        v(Slice<T>::normal(keys.rows(), q.width, 3)),
        d_out(Slice<T>::normal(queries.rows(), q.width, 4)),
        out(queries.rows(), q.width),
        dq(queries.rows(), q.width),
        dk(keys.rows(), q.width),
        dv(keys.rows(), q.width),
        log_sum(queries.rows() * which.heads, kNaN) {
    forward.sentences = queries.sentences();
    forward.query_offsets = queries.offsets().data();
    forward.key_offsets = keys.offsets().data();
    forward.heads = which.heads;
    forward.head_width = which.head_width;
    forward.scale = 1.0f / std::sqrt(static_cast<float>(which.head_width));
    forward.causal = which.causal;
    forward.dropout = {which.dropout, 42};
    forward.query_row_keys = queries.row_keys().data();
    point();
  }
  Problem(const Problem&) = delete;

  void point() {
    forward.q = q.data();
    forward.k = k.data();
    forward.v = v.data();
    forward.q_stride = q.stride;
    forward.k_stride = k.stride;
    forward.v_stride = v.stride;
    forward.out = out.data();
    forward.out_stride = out.stride;
    forward.log_sum = log_sum.data();
    gradient.forward = forward;
    gradient.d_out = d_out.data();
    gradient.d_out_stride = d_out.stride;
    gradient.dq = dq.data();
    gradient.dk = dk.data();
    gradient.dv = dv.data();
    gradient.dq_stride = dq.stride;
    gradient.dk_stride = dk.stride;
    gradient.dv_stride = dv.stride;
  }
};

template <class T>
class Attention : public testing::Test {};
using Types = testing::Types<float, Bf16>;
TYPED_TEST_SUITE(Attention, Types);

TYPED_TEST(Attention, AgreesWithThePlainOneOnAnyNumberOfThreads) {
  using T = TypeParam;
  on_each_level([&] {
    int number = 0;
    for (const Case& which : kCases) {
      SCOPED_TRACE(testing::Message() << "case " << number++);
      Problem<T> plain(which), one(which);
      reference::attention(plain.forward);
      reference::attention_gradient(plain.gradient);
      for (const int threads : {1, 2, 3, 7}) {
        Problem<T> fast(which);
        ThreadPool pool(threads);
        attention(pool, fast.forward);
        attention_gradient(pool, fast.gradient);
        if (threads == 1) {
          const double terms =
              static_cast<double>(which.head_width) + std::max(plain.queries.longest(), plain.keys.longest());
          expect_close(fast.out.dense(), plain.out.dense(), terms, "out");
          expect_close(fast.log_sum, plain.log_sum, terms, "log_sum");
          // delta is taken from the rounded output: a rounding more than the plain gradient has.
          expect_close(fast.dq.dense(), plain.dq.dense(), 2 * terms, "dq");
          expect_close(fast.dk.dense(), plain.dk.dense(), 2 * terms, "dk");
          expect_close(fast.dv.dense(), plain.dv.dense(), 2 * terms, "dv");
          if (testing::Test::HasFatalFailure()) return;
          one.out = fast.out;
          one.dq = fast.dq;
          one.dk = fast.dk;
          one.dv = fast.dv;
          one.log_sum = fast.log_sum;
        }
        ASSERT_TRUE(fast.out == one.out && fast.dq == one.dq && fast.dk == one.dk && fast.dv == one.dv &&
                    fast.log_sum == one.log_sum)
            << threads << " threads";
      }
    }
  });
}

TYPED_TEST(Attention, ASentenceAloneGivesTheSameBytes) {
  using T = TypeParam;
  ThreadPool pool(3);
  on_each_level([&] {
    const Case which{{70, 14, 9, 33}, {70, 14, 9, 33}, 2, 32, true, 0.2f};
    Problem<T> together(which), alone(which);
    attention(pool, together.forward);
    attention_gradient(pool, together.gradient);
    for (int32_t b = 3; b >= 0; --b) {
      const int64_t first = together.queries.begin(b);
      const int32_t offsets[] = {0, together.queries.length(b)};
      AttentionGradientArgs<T> args = alone.gradient;
      args.forward.sentences = 1;
      args.forward.query_offsets = args.forward.key_offsets = offsets;
      args.forward.query_row_keys += first;
      args.forward.q = alone.q.row(first);
      args.forward.k = alone.k.row(first);
      args.forward.v = alone.v.row(first);
      args.forward.out = alone.out.row(first);
      args.forward.log_sum += first * which.heads;
      args.d_out = alone.d_out.row(first);
      args.dq = alone.dq.row(first);
      args.dk = alone.dk.row(first);
      args.dv = alone.dv.row(first);
      attention(pool, args.forward);
      attention_gradient(pool, args);
    }
    EXPECT_TRUE(alone.out == together.out && alone.dq == together.dq && alone.dk == together.dk &&
                alone.dv == together.dv && alone.log_sum == together.log_sum);
  });
}

TYPED_TEST(Attention, NaNInAFutureKeyDoesNotReachAnEarlierQuery) {
  using T = TypeParam;
  ThreadPool pool(1);
  on_each_level([&] {
    Problem<T> problem({{10}, {10}, 1, 16, true, 0.0f});
    problem.k.row(7)[3] = static_cast<T>(kNaN);
    problem.v.row(7)[3] = static_cast<T>(kNaN);
    attention(pool, problem.forward);
    for (int64_t r = 0; r < 10; ++r)
      EXPECT_EQ(std::isnan(static_cast<float>(problem.out.row(r)[3])), r >= 7) << r;
  });
}

TYPED_TEST(Attention, StepsAgreeWithThePlainOnes) {
  using T = TypeParam;
  constexpr int64_t queries = 9, cache = 40, heads = 3;
  on_each_level([&] {
    for (const int64_t head_width : {7, 32, 64}) {
      const int64_t width = heads * head_width;
      auto q = Slice<T>::normal(queries, width, 1), k = Slice<T>::normal(cache, width, 2);
      auto v = Slice<T>::normal(cache, width, 3);
      std::vector<int32_t> offsets = {0}, rows, first;
      for (int32_t r = 0; r < queries; ++r) {
        const int32_t count = r == 4 ? 0 : 3 * r + 1;
        first.push_back(static_cast<int32_t>(uniform_below(3, static_cast<uint64_t>(r), cache - count + 1)));
        for (int32_t j = 0; j < count; ++j)
          rows.push_back(static_cast<int32_t>(uniform_below(4, static_cast<uint64_t>(rows.size()), cache)));
        offsets.push_back(static_cast<int32_t>(rows.size()));
      }
      for (const bool ranges : {false, true}) {
        Slice<T> fast(queries, width), plain(queries, width);
        AttentionStepArgs<T> args{.queries = queries, .row_offsets = offsets.data()};
        args.rows = ranges ? nullptr : rows.data();
        args.first = first.data();
        args.heads = heads;
        args.head_width = head_width;
        args.scale = 0.3f;
        args.q = q.data();
        args.k = k.data();
        args.v = v.data();
        args.q_stride = q.stride;
        args.k_stride = k.stride;
        args.v_stride = v.stride;
        args.out_stride = fast.stride;
        args.out = plain.data();
        reference::attention_step(args);
        args.out = fast.data();
        for (const int threads : {1, 2, 7}) {
          ThreadPool pool(threads);
          attention_step(pool, args);
          expect_close(fast.dense(), plain.dense(), static_cast<double>(head_width) + 30, "out");
        }
      }
    }
  });
}

}  // namespace
}  // namespace heed::kernels
