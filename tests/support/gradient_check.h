// Gradients held against central differences in f64.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace heed::test {

// loss() reads x. With steps of 1e-5 the difference quotient errs by some 1e-10 (third derivative) and 1e-11
// (rounding) of the values at hand; 1e-7 leaves room for their sizes.
template <class Loss>
void expect_gradient(const std::string& name, std::vector<double>& x, const std::vector<double>& gradient,
                     Loss loss) {
  ASSERT_EQ(x.size(), gradient.size()) << name;
  constexpr double kStep = 1e-5;
  double largest = 1.0;
  for (const double g : gradient) largest = std::max(largest, std::abs(g));
  for (size_t i = 0; i < x.size(); ++i) {
    const double kept = x[i];
    x[i] = kept + kStep;
    const double up = loss();
    x[i] = kept - kStep;
    const double down = loss();
    x[i] = kept;
    ASSERT_NEAR((up - down) / (2 * kStep), gradient[i], 1e-7 * largest) << name << " element " << i;
  }
}

// The loss whose gradient with respect to y is `weights`.
inline double weighted_sum(const std::vector<double>& y, const std::vector<double>& weights) {
  double sum = 0;
  for (size_t i = 0; i < y.size(); ++i) sum += y[i] * weights[i];
  return sum;
}

}  // namespace heed::test
