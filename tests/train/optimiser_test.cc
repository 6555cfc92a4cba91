// Adam, the schedules and the tree of gradients against their formulas.
#include "heed/train/optimiser.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numbers>

#include "heed/base/random.h"
#include "tests/train/plain_adam.h"

namespace heed {
namespace {

Tensor tensor(const std::vector<float>& values) {
  Tensor tensor = Tensor::empty({static_cast<int64_t>(values.size())}, DType::f32);
  std::copy(values.begin(), values.end(), tensor.data<float>());
  return tensor;
}

std::vector<float> values_of(const Tensor& tensor) {
  return {tensor.data<float>(), tensor.data<float>() + tensor.size()};
}

// Ten numbers that differ from each other and between `which`.
std::vector<float> numbers(uint64_t which, size_t count = 10) {
  std::vector<float> numbers;
  for (size_t i = 0; i < count; ++i) numbers.push_back(static_cast<float>(normal(which, i)));
  return numbers;
}

TEST(Adam, FollowsTheFormulas) {
  for (const double clip : {0.0, 0.5}) {
    for (const double decay : {0.0, 0.1}) {
      OptimiserConfig config;
      config.clip_norm = clip;
      config.weight_decay = decay;
      config.epsilon = 1e-8;
      ParameterStore store(1);
      Parameter& parameter = store.add("weight", {10}, Initial::normal(1.0));
      Adam adam(config, store);
      test::PlainAdam plain{config, {}, std::vector<double>(10), std::vector<double>(10)};
      for (const float weight : values_of(parameter.value())) plain.weights.push_back(weight);
      Context c(2);
      for (int t = 1; t <= 10; ++t) {
        const std::vector<float> gradient = numbers(t);
        adam.step(c, {tensor(gradient)}, 0.25, 0.01 * t, t);
        plain.step(gradient, 0.25, 0.01 * t, t);
        for (size_t i = 0; i < 10; ++i) {
          // A few roundings of f32 a step.
          EXPECT_NEAR(parameter.value().data<float>()[i], plain.weights[i], 1e-6 * t) << t;
          EXPECT_NEAR(adam.first_moments()[0].data<float>()[i], plain.m[i], 1e-6);
          EXPECT_NEAR(adam.second_moments()[0].data<float>()[i], plain.v[i], 1e-6);
        }
      }
    }
  }
}

TEST(Adam, TellsTheNormBeforeClippingOverAllParameters) {
  OptimiserConfig config;
  config.clip_norm = 1.0;
  ParameterStore store(1);
  store.add("a", {2}, Initial::constant(0));
  store.add("b", {1}, Initial::constant(0));
  store.add("c", {3}, Initial::constant(0));
  Adam adam(config, store);
  Context c(1);
  EXPECT_NEAR(adam.step(c, {tensor({2, 4}), tensor({4}), Tensor()}, 0.5, 0.1, 1), 3.0, 1e-6);
  // (1 - beta1) times the gradient, scaled to norm 1; nothing where there was no gradient.
  EXPECT_NEAR(adam.first_moments()[0].data<float>()[0], 0.1 / 3, 1e-6);
  EXPECT_NEAR(adam.first_moments()[1].data<float>()[0], 0.2 / 3, 1e-6);
  EXPECT_EQ(values_of(store.find("c")->value()), (std::vector<float>{0, 0, 0}));
}

TEST(Adam, NothingChangesWhenTheNormIsNoNumber) {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), std::numeric_limits<float>::infinity()}) {
    ParameterStore store(1);
    Parameter& parameter = store.add("weight", {3}, Initial::normal(1.0));
    Adam adam({}, store);
    Context c(1);
    const std::vector<float> before = values_of(parameter.value());
    EXPECT_FALSE(std::isfinite(adam.step(c, {tensor({1, bad, 2})}, 1.0, 0.1, 1)));
    EXPECT_EQ(values_of(parameter.value()), before);
    EXPECT_EQ(values_of(adam.first_moments()[0]), (std::vector<float>{0, 0, 0}));
  }
}

TEST(LearningRate, Schedules) {
  OptimiserConfig config;
  config.learning_rate = 0.002;
  config.warmup = 100;
  config.final_rate = 0.0005;
  const auto rate = [&](Schedule schedule, int64_t update) {
    config.schedule = schedule;
    return learning_rate(config, update, 1000, 256);
  };
  for (const Schedule schedule : {Schedule::inverse_sqrt, Schedule::cosine, Schedule::constant}) {
    EXPECT_DOUBLE_EQ(rate(schedule, 1), 0.00002);
    EXPECT_DOUBLE_EQ(rate(schedule, 50), 0.001);
    EXPECT_DOUBLE_EQ(rate(schedule, 100), 0.002);
  }
  EXPECT_DOUBLE_EQ(rate(Schedule::inverse_sqrt, 400), 0.001);
  EXPECT_DOUBLE_EQ(rate(Schedule::constant, 1000), 0.002);
  EXPECT_DOUBLE_EQ(rate(Schedule::cosine, 550), 0.00125);  // half way from 100 to 1000
  EXPECT_DOUBLE_EQ(rate(Schedule::cosine, 1000), 0.0005);
  EXPECT_DOUBLE_EQ(rate(Schedule::cosine, 5000), 0.0005);
  EXPECT_NEAR(rate(Schedule::cosine, 400), 0.0005 + 0.0015 * 0.5 * (1 + std::cos(std::numbers::pi / 3)),
              1e-12);
  // 256^-0.5 = 1/16, 100^-1.5 = 1/1000: both arms meet at the warm-up's end.
  EXPECT_DOUBLE_EQ(rate(Schedule::noam, 10), 0.002 / 16 * 10 / 1000);
  EXPECT_DOUBLE_EQ(rate(Schedule::noam, 100), 0.002 / 16 / 10);
  EXPECT_DOUBLE_EQ(rate(Schedule::noam, 400), 0.002 / 16 / 20);
  config.warmup = 0;
  EXPECT_DOUBLE_EQ(rate(Schedule::constant, 1), 0.002);
  EXPECT_DOUBLE_EQ(rate(Schedule::inverse_sqrt, 4), 0.001);
  EXPECT_TRUE(std::isfinite(rate(Schedule::noam, 1)));
}

// ((1 + 2) + (3 + 4)) + 5 and so on: numbers whose sum shows the order.
TEST(GradientTree, SumsInAFixedBinaryTree) {
  const std::vector<float> terms = {1e8f, 1.0f, -1e8f, 1.0f, 3.0f, 0.5f, 7.0f};
  const auto sum_of = [&](size_t count) {
    Context c(1);
    GradientTree tree;
    for (size_t i = 0; i < count; ++i) tree.add(c, {tensor({terms[i]})});
    return tree.sum(c)[0].data<float>()[0];
  };
  volatile float left = terms[0] + terms[1], right = terms[2] + terms[3];
  EXPECT_EQ(sum_of(1), terms[0]);
  EXPECT_EQ(sum_of(2), left);
  EXPECT_EQ(sum_of(4), left + right);
  EXPECT_EQ(left + right, 0.0f);  // one after the other it is 1: the order shows
  EXPECT_EQ(sum_of(5), (left + right) + terms[4]);
  EXPECT_EQ(sum_of(7), (left + right) + ((terms[4] + terms[5]) + terms[6]));
}

TEST(GradientTree, MissingGradientsCountAsZero) {
  Context c(1);
  GradientTree tree;
  tree.add(c, {Tensor(), tensor({1}), Tensor()});
  tree.add(c, {tensor({2}), tensor({3}), Tensor()});
  tree.add(c, {tensor({4}), Tensor(), Tensor()});
  const Gradients sum = tree.sum(c);
  EXPECT_EQ(values_of(sum[0]), (std::vector<float>{6}));
  EXPECT_EQ(values_of(sum[1]), (std::vector<float>{4}));
  EXPECT_FALSE(static_cast<bool>(sum[2]));
  EXPECT_THROW(tree.sum(c), Error);  // it is empty now
}

}  // namespace
}  // namespace heed
