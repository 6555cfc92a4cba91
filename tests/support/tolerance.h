// How far two correct ways of computing the same thing may lie apart: the one table of tolerances.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "heed/tensor/dtype.h"

namespace heed::test {

// Of a result of size up to `size` that sums `terms` products in f32 and is stored as T. Each addition rounds
// by at most 2^-24 of the partial sum; another order, or a fused multiply, changes each by that much. The
// worst case grows with terms; 4 covers what is not a sum (exp, rsqrt, division: a few ulp). Stored as bf16,
// neighbours may be an ulp apart, 2^-7 just above a power of two.
template <class T>
double tolerance(double size, double terms) {
  const double in_f32 = size * (terms + 4) * 0x1p-23;
  return std::is_same_v<T, Bf16> ? in_f32 + size * 0x1p-7 : in_f32;
}

// Every element within tolerance of the largest one, or of at_least where what was summed is larger than the
// sums; NaN only where NaN is expected.
template <class T>
void expect_close(const std::vector<T>& actual, const std::vector<T>& expected, double terms,
                  const char* name, double at_least = 0) {
  ASSERT_EQ(actual.size(), expected.size()) << name;
  double size = at_least;
  for (const T value : expected) {
    const double v = std::abs(static_cast<double>(static_cast<float>(value)));
    if (std::isfinite(v)) size = std::max(size, v);
  }
  const double allowed = tolerance<T>(size, terms);
  for (size_t i = 0; i < actual.size(); ++i) {
    const double a = static_cast<float>(actual[i]), e = static_cast<float>(expected[i]);
    const bool same = a == e || (std::isnan(a) && std::isnan(e));
    ASSERT_TRUE(same || std::abs(a - e) <= allowed)
        << name << "[" << i << "]: " << a << " instead of " << e << ", allowed " << allowed;
  }
}

}  // namespace heed::test
