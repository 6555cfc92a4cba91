#include "heed/kernels/matmul.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstddef>
#include <cstring>
#include <limits>
#include <utility>
#include <vector>

#include "heed/base/error.h"
#include "heed/base/random.h"
#include "heed/kernels/reference/matmul.h"
#include "tests/kernels/levels.h"

namespace heed::kernels {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

template <class T>
std::vector<T> random_values(uint64_t seed, int64_t size) {
  std::vector<T> values(size);
  for (int64_t i = 0; i < size; ++i) values[i] = T(static_cast<float>(2 * uniform(seed, i) - 1));
  return values;
}

// Rows of `width` with NaN between them, at an address that is not aligned.
template <class T>
struct Rows {
  Rows(uint64_t seed, int64_t rows, int64_t width) : stride(width + 3), values(rows * stride + 1, T(kNaN)) {
    const std::vector<T> random = random_values<T>(seed, rows * width);
    for (int64_t r = 0; r < rows; ++r) {
      for (int64_t c = 0; c < width; ++c) data()[r * stride + c] = random[r * width + c];
    }
  }
  T* data() { return values.data() + 1; }
  int64_t stride;
  std::vector<T> values;
};

// Two sums of `terms` products of numbers in [-1, 1] in different orders, then rounding to Out.
template <class Out>
double tolerance(int64_t terms, double value) {
  const double rounding = std::is_same_v<Out, Bf16> ? std::ldexp(std::abs(value), -8) : 0.0;
  return rounding * 1.01 + std::ldexp(static_cast<double>(terms + 2), -23) * 2;
}

struct Options {
  bool bias = false, relu = false, accumulate = false;
};

template <class T, class Out>
void compare_with_reference(ThreadPool& pool, int64_t R, int64_t K, int64_t N, Options options) {
  SCOPED_TRACE(testing::Message() << R << " x " << K << " x " << N << " bias " << options.bias << " relu "
                                  << options.relu << " accumulate " << options.accumulate);
  Rows<T> x(1, R, K);
  const std::vector<float> weight = random_values<float>(2, N * K);  // [N, K]
  const std::vector<float> bias = random_values<float>(3, N);
  const PackedMatrix packed(pool, weight.data(), K, N, 1, K, dtype_of<T>);
  Rows<Out> y(4, R, N);
  const Rows<Out> before = y;

  std::vector<double> x_exact(R * K), w_exact(N * K), y_exact(R * N), bias_exact(bias.begin(), bias.end());
  for (int64_t i = 0; i < R * K; ++i) x_exact[i] = double(float(x.data()[i / K * x.stride + i % K]));
  for (int64_t i = 0; i < N * K; ++i) w_exact[i] = double(float(T(weight[i])));
  for (int64_t i = 0; i < R * N; ++i) y_exact[i] = double(float(y.data()[i / N * y.stride + i % N]));
  reference::matmul<double, double, double>({.rows = R,
                                             .inner = K,
                                             .outer = N,
                                             .x = x_exact.data(),
                                             .x_stride = K,
                                             .b = w_exact.data(),
                                             .b_stride_k = 1,
                                             .b_stride_n = K,
                                             .bias = options.bias ? bias_exact.data() : nullptr,
                                             .relu = options.relu,
                                             .accumulate = options.accumulate,
                                             .y = y_exact.data(),
                                             .y_stride = N});
  matmul(pool, MatmulArgs<T, Out>{.x = x.data(),
                                  .x_stride = x.stride,
                                  .rows = R,
                                  .b = &packed,
                                  .bias = options.bias ? bias.data() : nullptr,
                                  .relu = options.relu,
                                  .accumulate = options.accumulate,
                                  .y = y.data(),
                                  .y_stride = y.stride});
  for (int64_t i = 0; i < R * N; ++i) {
    const double value = double(float(y.data()[i / N * y.stride + i % N]));
    ASSERT_NEAR(value, y_exact[i], tolerance<Out>(K, y_exact[i])) << "row " << i / N << " column " << i % N;
  }
  for (int64_t r = 0; r + 1 < R; ++r) {  // what lies between the rows is untouched
    for (int64_t c = N; c < y.stride; ++c) ASSERT_TRUE(std::isnan(float(y.data()[r * y.stride + c])));
  }
}

TEST(Matmul, EqualsReference) {
  on_every_level([] {
    ThreadPool pool(3);
    for (const auto [R, K, N] : {std::array<int64_t, 3>{1, 1, 1},
                                 {5, 7, 3},
                                 {1, 128, 130},
                                 {33, 31, 65},
                                 {17, 600, 48},
                                 {129, 64, 1000},
                                 {70, 1, 17},
                                 {0, 4, 4}}) {
      for (const Options options :
           {Options{}, Options{.bias = true}, Options{.bias = true, .relu = true},
            Options{.accumulate = true}, Options{.bias = true, .relu = true, .accumulate = true}}) {
        compare_with_reference<float, float>(pool, R, K, N, options);
        compare_with_reference<Bf16, Bf16>(pool, R, K, N, options);
        compare_with_reference<Bf16, float>(pool, R, K, N, options);
      }
    }
  });
}

TEST(Matmul, EmptyInnerWidthLeavesTheBias) {
  on_every_level([] {
    ThreadPool pool(1);
    const PackedMatrix packed(pool, nullptr, 0, 2, 1, 0, DType::f32);
    const float bias[2] = {3, -4};
    float y[2] = {kNaN, kNaN};
    matmul(pool,
           MatmulArgs<float>{.rows = 1, .b = &packed, .bias = bias, .relu = true, .y = y, .y_stride = 2});
    EXPECT_EQ(y[0], 3);
    EXPECT_EQ(y[1], 0);
  });
}

// The packed bytes of a weight [N, K] that lies as it is, or transposed.
std::vector<std::byte> packed_bytes(ThreadPool& pool, int64_t K, int64_t N, DType dtype, bool transposed) {
  const std::vector<float> random = random_values<float>(2, K * N);
  std::vector<float> weight(K * N);
  for (int64_t i = 0; i < K * N; ++i) weight[transposed ? i % K * N + i / K : i] = random[i];
  const PackedMatrix packed(pool, weight.data(), K, N, transposed ? N : 1, transposed ? 1 : K, dtype);
  const int64_t bytes = packed.tiled() ? 2 * cpu::tiled_size(K, N) : 4 * K * ((N + 15) / 16 * 16);
  return {packed.data(), packed.data() + bytes};
}

TEST(PackedMatrix, HowTheWeightLiesDoesNotShow) {
  on_every_level([] {
    ThreadPool pool(2);
    for (const auto [K, N] : {std::array<int64_t, 2>{2, 2}, {33, 5}, {64, 96}, {70, 77}, {5, 130}}) {
      for (const DType dtype : {DType::f32, DType::bf16}) {
        ASSERT_EQ(packed_bytes(pool, K, N, dtype, false), packed_bytes(pool, K, N, dtype, true))
            << K << " x " << N << ' ' << name_of(dtype);
      }
    }
  });
}

TEST(PackedMatrix, TakesOverTheMemoryOfASpareThatSuffices) {
  on_every_level([] {
    ThreadPool pool(1);
    const int64_t K = 64, N = 96;
    const std::vector<float> weight = random_values<float>(2, K * N);
    for (const DType dtype : {DType::f32, DType::bf16}) {
      const auto pack = [&](int64_t inner, PackedMatrix spare) {
        return PackedMatrix(pool, weight.data(), inner, N, 1, inner, dtype, std::move(spare));
      };
      PackedMatrix whole = pack(K, {});
      const std::byte* const memory = whole.data();
      const std::vector<std::byte> bytes(memory, memory + 2 * K * N);
      const PackedMatrix held = pack(1, whole);  // which is wanted still
      EXPECT_NE(held.data(), memory);
      PackedMatrix again = pack(K, std::move(whole));
      EXPECT_EQ(again.data(), memory);
      EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), again.data()));
      PackedMatrix less = pack(1, std::move(again));
      EXPECT_EQ(less.data(), memory);
      EXPECT_EQ(less.inner(), 1);
      const PackedMatrix more = pack(K, pack(1, {}));  // too small a spare
      EXPECT_TRUE(std::equal(bytes.begin(), bytes.end(), more.data()));
    }
  });
}

template <class T>
std::vector<T> product(ThreadPool& pool, const T* x, int64_t rows, const PackedMatrix& b) {
  std::vector<T> y(rows * b.outer(), T(kNaN));
  matmul(pool,
         MatmulArgs<T>{
             .x = x, .x_stride = b.inner(), .rows = rows, .b = &b, .y = y.data(), .y_stride = b.outer()});
  return y;
}

template <class T>
void same_bytes_for_any_rows_and_threads(int64_t K, int64_t N) {
  ThreadPool one(1);
  const auto x = random_values<T>(1, 129 * K);
  const auto weight = random_values<float>(2, K * N);
  const PackedMatrix packed(one, weight.data(), K, N, N, 1, dtype_of<T>);
  const std::vector<T> whole = product(one, x.data(), 129, packed);
  for (int64_t rows = 1; rows <= 129; ++rows) {
    const std::vector<T> y = product(one, x.data() + (129 - rows) * K, rows, packed);
    ASSERT_EQ(0, std::memcmp(y.data(), whole.data() + (129 - rows) * N, y.size() * sizeof(T))) << rows;
  }
  for (const int threads : {2, 3, 7}) {
    ThreadPool pool(threads);
    const std::vector<T> y = product(pool, x.data(), 129, packed);
    ASSERT_EQ(0, std::memcmp(y.data(), whole.data(), y.size() * sizeof(T))) << threads << " threads";
  }
}

TEST(Matmul, SameBytesForAnyRowsAndThreads) {
  on_every_level([] {
    same_bytes_for_any_rows_and_threads<float>(34, 77);
    same_bytes_for_any_rows_and_threads<float>(300, 20);
    same_bytes_for_any_rows_and_threads<Bf16>(70, 77);
  });
}

template <class T>
void special_numbers_come_through() {
  ThreadPool pool(2);
  const int64_t R = 20, K = 50, N = 40;
  auto x = random_values<T>(1, R * K);
  const auto weight = random_values<float>(2, K * N);
  const PackedMatrix packed(pool, weight.data(), K, N, N, 1, dtype_of<T>);
  x[3 * K + 7] = T(kNaN);
  x[5 * K + 2] = T(INFINITY);
  std::vector<T> y(R * N);
  for (const bool relu : {false, true}) {
    matmul(pool, MatmulArgs<T>{.x = x.data(),
                               .x_stride = K,
                               .rows = R,
                               .b = &packed,
                               .relu = relu,
                               .y = y.data(),
                               .y_stride = N});
    for (int64_t i = 0; i < R * N; ++i) {
      const float value = float(y[i]), factor = weight[2 * N + i % N];
      if (i / N == 3) {
        ASSERT_TRUE(std::isnan(value));
      } else if (i / N == 5) {
        ASSERT_EQ(value, relu && factor < 0 ? 0.0f : std::copysign(INFINITY, factor));
      } else {
        ASSERT_TRUE(std::isfinite(value));
      }
    }
  }
}

TEST(Matmul, NaNAndInfinityComeThrough) {
  on_every_level([] {
    special_numbers_come_through<float>();
    special_numbers_come_through<Bf16>();
  });
}

TEST(Matmul, RefusesTheWrongType) {
  ThreadPool pool(1);
  const float weight[1] = {1};
  const PackedMatrix packed(pool, weight, 1, 1, 1, 1, DType::f32);
  Bf16 value(1.0f);
  EXPECT_THROW(matmul(pool,
                      MatmulArgs<Bf16>{
                          .x = &value, .x_stride = 1, .rows = 1, .b = &packed, .y = &value, .y_stride = 1}),
               Error);
  const PackedMatrix none;
  float y = 0;
  EXPECT_THROW(
      matmul(pool,
             MatmulArgs<float>{.x = weight, .x_stride = 1, .rows = 1, .b = &none, .y = &y, .y_stride = 1}),
      Error);
}

template <class T>
void compare_weight_gradient(ThreadPool& pool, int64_t R, int64_t K, int64_t N, bool accumulate) {
  SCOPED_TRACE(testing::Message() << R << " x " << K << " x " << N << " accumulate " << accumulate);
  Rows<T> x(1, R, K), dy(2, R, N);
  std::vector<float> dw = random_values<float>(3, N * K), dbias = random_values<float>(4, N);
  if (!accumulate) dw.assign(dw.size(), kNaN), dbias.assign(dbias.size(), kNaN);
  std::vector<double> x_exact(R * K), dy_exact(R * N), dw_exact(dw.begin(), dw.end()),
      dbias_exact(dbias.begin(), dbias.end());
  for (int64_t i = 0; i < R * K; ++i) x_exact[i] = double(float(x.data()[i / K * x.stride + i % K]));
  for (int64_t i = 0; i < R * N; ++i) dy_exact[i] = double(float(dy.data()[i / N * dy.stride + i % N]));
  reference::weight_gradient<double>({.rows = R,
                                      .inner = K,
                                      .outer = N,
                                      .dy = dy_exact.data(),
                                      .dy_stride = N,
                                      .x = x_exact.data(),
                                      .x_stride = K,
                                      .accumulate = accumulate,
                                      .dw = dw_exact.data(),
                                      .dbias = dbias_exact.data()});
  weight_gradient(pool, WeightGradientArgs<T>{.dy = dy.data(),
                                              .dy_stride = dy.stride,
                                              .x = x.data(),
                                              .x_stride = x.stride,
                                              .rows = R,
                                              .inner = K,
                                              .outer = N,
                                              .accumulate = accumulate,
                                              .dw = dw.data(),
                                              .dbias = dbias.data()});
  for (int64_t i = 0; i < N * K; ++i) ASSERT_NEAR(dw[i], dw_exact[i], tolerance<float>(R, 0)) << i;
  for (int64_t n = 0; n < N; ++n) ASSERT_NEAR(dbias[n], dbias_exact[n], tolerance<float>(R, 0)) << n;
}

TEST(WeightGradient, EqualsReference) {
  on_every_level([] {
    ThreadPool pool(3);
    for (const auto [R, K, N] : {std::array<int64_t, 3>{1, 1, 1},
                                 {5, 7, 3},
                                 {1, 128, 130},
                                 {600, 31, 65},
                                 {17, 300, 48},
                                 {129, 64, 200},
                                 {0, 4, 4},
                                 {1100, 33, 20},
                                 {4700, 20, 40},
                                 {530, 300, 450}}) {
      for (const bool accumulate : {false, true}) {
        compare_weight_gradient<float>(pool, R, K, N, accumulate);
        compare_weight_gradient<Bf16>(pool, R, K, N, accumulate);
      }
    }
  });
}

template <class T>
void weight_gradient_same_bytes(int64_t R, int64_t K, int64_t N) {
  const auto x = random_values<T>(1, R * K), dy = random_values<T>(2, R * N);
  std::vector<float> first;
  for (const int threads : {1, 2, 3, 7}) {
    ThreadPool pool(threads);
    std::vector<float> dw(N * K + N, kNaN);
    weight_gradient(pool, WeightGradientArgs<T>{.dy = dy.data(),
                                                .dy_stride = N,
                                                .x = x.data(),
                                                .x_stride = K,
                                                .rows = R,
                                                .inner = K,
                                                .outer = N,
                                                .dw = dw.data(),
                                                .dbias = dw.data() + N * K});
    if (threads == 1) first = dw;
    ASSERT_EQ(0, std::memcmp(first.data(), dw.data(), dw.size() * sizeof(float))) << threads << " threads";
  }
}

TEST(WeightGradient, SameBytesForAnyThreads) {
  on_every_level([] {
    weight_gradient_same_bytes<float>(1300, 130, 77);
    weight_gradient_same_bytes<Bf16>(1300, 130, 77);
    weight_gradient_same_bytes<Bf16>(530, 260, 520);
  });
}

}  // namespace
}  // namespace heed::kernels
