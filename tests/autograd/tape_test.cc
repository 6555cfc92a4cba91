// The tape: who gets which gradient, and what it refuses.
#include "heed/autograd/tape.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "heed/ops/activation.h"
#include "heed/ops/linear.h"
#include "heed/ops/norm.h"

namespace heed {
namespace {

const std::vector<int32_t> kTwo = {2};

Tensor two_rows(const std::vector<float>& values) {
  return Tensor::of({2, static_cast<int64_t>(values.size()) / 2}, values);
}

Var variable(const std::vector<float>& values) {
  Var x(two_rows(values));
  x.gradient = std::make_shared<Gradient>();
  return x;
}

class TapeTest : public ::testing::Test {
 protected:
  TapeTest() { c_.arena.fill_with_nan(true); }

  Var add(const Var& x, const Var& y) { return residual(c_, x, y, DropoutSite(), Layout::of_lengths(kTwo)); }

  std::vector<float> values_of(Gradient& gradient) {
    const Tensor value = gradient.take(c_);
    return {value.data<float>(), value.data<float>() + value.size()};
  }

  // The sum of x's elements, scaled.
  Var sum_of(const Var& x, float factor) {
    Var sum(c_.allocate(Shape{1}, DType::f32));
    *sum.value.data<float>() = 0.0f;
    c_.tape->record(sum, [x, factor](Context& c, const Tensor& d_sum) {
      const Tensor dx = c.allocate(x.shape(), DType::f32);
      std::fill_n(dx.data<float>(), dx.size(), factor * d_sum.item());
      x.gradient->add(c, dx);
    });
    return sum;
  }

  Context c_{1};
  Tape tape_;
};

// An addition hands one tensor to both its inputs.
TEST_F(TapeTest, AVariableReadTwiceGathersBothGradients) {
  const Mode recording(c_, &tape_, c_.training);
  const Var x = variable({1, 2, 3, 4});
  tape_.backward(c_, sum_of(add(add(x, x), x), 2.0f));
  EXPECT_EQ(values_of(*x.gradient), (std::vector<float>{6, 6, 6, 6}));
}

TEST_F(TapeTest, GradientsHandedToTwoVariablesStayApart) {
  const Mode recording(c_, &tape_, c_.training);
  const Var x = variable({1, 2, 3, 4}), y = variable({5, 6, 7, 8});
  tape_.backward(c_, sum_of(add(x, add(x, y)), 1.0f));
  EXPECT_EQ(values_of(*x.gradient), (std::vector<float>{2, 2, 2, 2}));
  EXPECT_EQ(values_of(*y.gradient), (std::vector<float>{1, 1, 1, 1}));
}

TEST_F(TapeTest, TheSeedScalesEveryGradient) {
  const Mode recording(c_, &tape_, c_.training);
  const Var x = variable({-1, 2, 3, -4});
  tape_.backward(c_, sum_of(activation(c_, x, kernels::Activation::relu), 1.0f), 0.25f);
  EXPECT_EQ(values_of(*x.gradient), (std::vector<float>{0, 0.25f, 0.25f, 0}));
}

TEST_F(TapeTest, WhatAStepHeldIsLetGoOnceItRan) {
  const Mode recording(c_, &tape_, c_.training);
  std::weak_ptr<const int> watched;
  Var loss(Tensor::zeros({1}));
  {
    const auto held = std::make_shared<const int>();
    watched = held;
    tape_.record(loss, [held](Context&, const Tensor&) {});
  }
  EXPECT_FALSE(watched.expired());
  tape_.backward(c_, loss);
  EXPECT_TRUE(watched.expired());
}

TEST_F(TapeTest, WhatTheLossDoesNotReadGetsNoGradient) {
  const Mode recording(c_, &tape_, c_.training);
  const Var x = variable({1, 2, 3, 4}), unread = variable({1, 2, 3, 4});
  activation(c_, unread, kernels::Activation::relu);
  tape_.backward(c_, sum_of(x, 1.0f));
  EXPECT_TRUE(unread.gradient->empty());
  EXPECT_FALSE(x.gradient->empty());
}

TEST_F(TapeTest, NothingIsRecordedOutsideARecording) {
  const Parameter weight("weight", two_rows({1, 2, 3, 4}));
  { const Mode recording(c_, &tape_, c_.training); }
  EXPECT_FALSE(c_.recording());
  EXPECT_EQ(linear(c_, variable({1, 2, 3, 4}), weight).gradient, nullptr);
  EXPECT_EQ(weight.var(c_).gradient, nullptr);
}

TEST_F(TapeTest, AParametersGradientGathersOverTwoPasses) {
  const Mode recording(c_, &tape_, c_.training);
  const std::vector<float> ones = {1, 1};
  const Parameter weight("weight", Tensor::of({1, 2}, ones));
  for (int pass = 0; pass < 2; ++pass) {
    tape_.backward(c_, sum_of(linear(c_, Var(two_rows({1, 2, 3, 4})), weight), 1.0f));
  }
  EXPECT_EQ(values_of(weight.gradient()), (std::vector<float>{8, 12}));
}

TEST_F(TapeTest, RefusesALossThatIsNoScalarOrWasNotRecorded) {
  const Mode recording(c_, &tape_, c_.training);
  EXPECT_THROW(tape_.backward(c_, variable({1, 2})), Error);
  EXPECT_THROW(tape_.backward(c_, Var(Tensor::zeros({1}))), Error);
}

TEST_F(TapeTest, AGradientOfAnEarlierStepThrowsWhenItIsRead) {
  const Mode recording(c_, &tape_, c_.training);
  const Var x = variable({1, 2, 3, 4});
  tape_.backward(c_, sum_of(x, 1.0f));
  c_.arena.reset();
  EXPECT_THROW(values_of(*x.gradient), Error);
}

// 256 and many ones: in bf16 256 + 1 is 256.
TEST_F(TapeTest, ManyContributionsAreRoundedOnce) {
  const auto of = [&](float value) {
    Tensor one = c_.allocate(Shape{1, 1}, DType::bf16);
    *one.data<Bf16>() = Bf16(value);
    return one;
  };
  Gradient gradient;
  gradient.add(c_, of(128.0f));
  gradient.add(c_, of(128.0f));
  for (int i = 0; i < 64; ++i) gradient.add(c_, of(1.0f));
  EXPECT_FALSE(gradient.empty());
  const Tensor sum = gradient.take(c_);
  EXPECT_EQ(sum.dtype(), DType::bf16);
  EXPECT_EQ(static_cast<float>(*sum.data<Bf16>()), 320.0f);
  EXPECT_TRUE(gradient.empty());
}

TEST_F(TapeTest, GradientsOfDifferentShapesAreRefused) {
  Gradient gradient;
  gradient.add(c_, Tensor::zeros({2, 3}));
  EXPECT_THROW(gradient.add(c_, Tensor::zeros({3, 2})), Error);
}

}  // namespace
}  // namespace heed
