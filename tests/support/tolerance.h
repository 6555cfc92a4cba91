// How far two correct ways of computing the same thing may lie apart: the one table of tolerances. First
// kernels, element by element; then ops and whole models.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <string>
#include <type_traits>
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

// bf16 keeps 8 bits: rounding errs by up to 2^-9 of a value. f32: 2^-24.
inline constexpr double kBf16Rounding = 0x1p-9;
inline constexpr double kF32Rounding = 0x1p-24;

enum class Quantity {
  op_value,         // the largest error of an op's output, over the largest output
  op_gradient,      // of an op's gradient, over the largest gradient
  log_probs,        // of a whole model, its error's norm over the norm
  loss,             // of a whole model, over the loss
  model_gradient,   // norm of a weight's gradient's error over its norm, plus a share of all gradients' norm
  trained_weights,  // norm of the error after ten Adam steps over the norm of the weight
  step_by_step,     // the largest difference of a log-probability, decoding against teacher forcing
};

struct Tolerance {
  double relative;
  double of_all = 0.0;  // of the norm over all tensors
};

inline Tolerance tolerance(Quantity quantity, DType precision) {
  const bool bf16 = precision == DType::bf16;
  switch (quantity) {
    case Quantity::op_value:
      // f32: a few hundred additions err by some 2^-24 each, seldom all the same way. bf16: the operands, a
      // product kept in between (weights of attention) and the result are rounded once each.
      return {bf16 ? 4 * kBf16Rounding : 64 * kF32Rounding};
    case Quantity::op_gradient:
      // As the value; finite differences of the f64 definition add 1e-9. bf16 sees what the forward pass had
      // rounded (an output, a softmax) and rounds again.
      return {bf16 ? 8 * kBf16Rounding : 128 * kF32Rounding};
    case Quantity::log_probs:
      // f32: the project's own bound. bf16: some 20 roundings stand between an embedding and a logit; errors
      // of 2^-9 add up like random steps to sqrt(20) 2^-9, and half as much again where they do not.
      return {bf16 ? 7 * kBf16Rounding : 1e-4};
    case Quantity::loss:
      // The mean of many log-probabilities, whose errors partly cancel.
      return {bf16 ? 4 * kBf16Rounding : 1e-5};
    case Quantity::model_gradient:
      // f32: the project's own bound. bf16: twice the way of a log-probability, there and back; and where
      // rounding moves a unit across the corner of a ReLU, that unit's whole gradient comes or goes.
      return {bf16 ? 48 * kBf16Rounding : 1e-4, bf16 ? kBf16Rounding : 1e-6};
    case Quantity::trained_weights:
      // f32: the project's own bound. bf16: Adam's steps are about as long for a small gradient as for a
      // large one, so where a gradient is mostly rounding the step is wrong altogether; ten steps of 0.003
      // move weights of size 0.25 by at most a tenth, of which a quarter may be wrong.
      return {bf16 ? 2.5e-2 : 1e-4};
    case Quantity::step_by_step:
      // Sums over the same keys in another order.
      return {bf16 ? 16 * kBf16Rounding : 2e-5};
  }
  return {0.0};
}

// sqrt(sum of squares); NaN comes through.
inline double norm_of(std::span<const float> values) {
  double sum = 0;
  for (const float value : values) sum += static_cast<double>(value) * value;
  return std::sqrt(sum);
}

// ||got - reference|| <= relative ||reference|| + of_all all_norm. NaN fails.
inline void expect_near_norm(const std::string& what, std::span<const float> got,
                             std::span<const float> reference, Tolerance tolerance, double all_norm = 0.0) {
  ASSERT_EQ(got.size(), reference.size()) << what;
  double squares = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    const double difference = static_cast<double>(got[i]) - reference[i];
    squares += difference * difference;
  }
  const double error = std::sqrt(squares), norm = norm_of(reference);
  const double bound = tolerance.relative * norm + tolerance.of_all * all_norm;
  EXPECT_TRUE(error <= bound) << what << ": error " << error << " of a norm of " << norm << ", allowed "
                              << bound;
}

// |got - reference| <= relative * the largest |reference|, element by element. NaN and an infinity that is
// not expected fail.
inline void expect_near_largest(const std::string& what, std::span<const double> got,
                                std::span<const double> reference, Tolerance tolerance) {
  ASSERT_EQ(got.size(), reference.size()) << what;
  double largest = 0;
  for (const double value : reference) {
    if (std::isfinite(value)) largest = std::max(largest, std::abs(value));
  }
  for (size_t i = 0; i < got.size(); ++i) {
    const bool near =
        got[i] == reference[i] || std::abs(got[i] - reference[i]) <= tolerance.relative * largest;
    ASSERT_TRUE(near) << what << ", element " << i << ": " << got[i] << " instead of " << reference[i]
                      << ", the largest is " << largest << ", allowed " << tolerance.relative * largest;
  }
}

}  // namespace heed::test
