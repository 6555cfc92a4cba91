// The error bounds that simd_math-inl.h states, over all of f32, on every level.
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>

#include "tests/support/levels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tests/kernels/layer_simd_math_test.cc"
#include "heed/kernels/cpu/simd.h"

// After highway.h.
#include "heed/kernels/cpu/simd_math-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels::cpu {
namespace HWY_NAMESPACE {

template <class F>
void map(const float* x, float* y, size_t size, F f) {
  const hn::ScalableTag<float> d;
  for (size_t i = 0; i < size; i += hn::Lanes(d)) hn::StoreU(f(d, hn::LoadU(d, x + i)), d, y + i);
}
// x and y: a multiple of 16 elements.
void map_exp(const float* x, float* y, size_t size) {
  map(x, y, size, [](auto d, auto v) HWY_ATTR { return exp(d, v); });
}
void map_tanh(const float* x, float* y, size_t size) {
  map(x, y, size, [](auto d, auto v) HWY_ATTR { return tanh(d, v); });
}
void map_sigmoid(const float* x, float* y, size_t size) {
  map(x, y, size, [](auto d, auto v) HWY_ATTR { return sigmoid(d, v); });
}
void map_erf(const float* x, float* y, size_t size) {
  map(x, y, size, [](auto d, auto v) HWY_ATTR { return erf(d, v); });
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::kernels {
namespace cpu {
HWY_EXPORT(map_exp);
HWY_EXPORT(map_tanh);
HWY_EXPORT(map_sigmoid);
HWY_EXPORT(map_erf);
}  // namespace cpu

namespace {

// Every 4099th float, among them both zeros' neighbourhoods, subnormals, infinities and NaN, and the ends of
// exp's range.
std::vector<float> all_kinds_of_floats() {
  std::vector<float> values;
  for (uint64_t bits = 0; bits < (uint64_t{1} << 32); bits += 4099)
    values.push_back(std::bit_cast<float>(static_cast<uint32_t>(bits)));
  const float infinity = std::numeric_limits<float>::infinity();
  for (const float x : {0.0f, -0.0f, infinity, -infinity, std::numeric_limits<float>::quiet_NaN(),
                        std::numeric_limits<float>::denorm_min(), -87.33654f, -87.336f, 88.722839f, 88.7228f,
                        88.7f, -87.4f, -104.0f, 0.93f, -0.93f, 9.1f, 9.0f, 0.3465736f, -0.3465736f})
    for (const float neighbour : {std::nextafter(x, -infinity), x, std::nextafter(x, infinity)})
      values.push_back(neighbour);
  while (values.size() % 16 != 0) values.push_back(0.0f);
  return values;
}

// The distance between two neighbouring floats at x, at least that of normal numbers.
double ulp(double x) {
  const double size = std::max(std::abs(x), 0x1p-126);
  return std::ldexp(1.0, std::ilogb(size) - 23);
}

template <class Map, class Exact, class Allowed>
void expect_within(Map map, Exact exact, Allowed allowed) {
  static const std::vector<float> x = all_kinds_of_floats();
  std::vector<float> y(x.size());
  map(x.data(), y.data(), x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    const double expected = exact(static_cast<double>(x[i]));
    if (std::isnan(expected)) {
      ASSERT_TRUE(std::isnan(y[i])) << x[i];
    } else if (std::abs(expected) > std::numeric_limits<float>::max()) {
      ASSERT_EQ(y[i], std::numeric_limits<float>::infinity()) << x[i];
    } else {
      ASSERT_LE(std::abs(y[i] - expected), allowed(expected)) << x[i] << ": " << y[i] << ", not " << expected;
    }
  }
}

TEST(SimdMath, ExpIsWithinTwoUlp) {
  test::on_each_level([&] {
    expect_within(
        HEED_DISPATCH(cpu::map_exp), [](double x) { return std::exp(x); },
        [](double y) { return y < 0x1p-126 ? y : 2 * ulp(y); });
  });
}

TEST(SimdMath, TanhIsWithinFourUlp) {
  test::on_each_level([&] {
    expect_within(
        HEED_DISPATCH(cpu::map_tanh), [](double x) { return std::tanh(x); },
        [](double y) { return 4 * ulp(y); });
  });
}

TEST(SimdMath, SigmoidIsWithinFourUlp) {
  test::on_each_level([&] {
    expect_within(
        HEED_DISPATCH(cpu::map_sigmoid), [](double x) { return 1 / (1 + std::exp(-x)); },
        [](double y) { return y < 0x1p-127 ? y : 4 * ulp(y); });
  });
}

TEST(SimdMath, ErfIsWithinItsBound) {
  test::on_each_level([&] {
    expect_within(
        HEED_DISPATCH(cpu::map_erf), [](double x) { return std::erf(x); },
        [](double y) { return std::min(3e-7, 4 * ulp(y) + 1e-7 * std::abs(y)); });
  });
}

}  // namespace
}  // namespace heed::kernels
#endif  // HWY_ONCE
