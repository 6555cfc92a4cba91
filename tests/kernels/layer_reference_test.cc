// The plain kernels of the layer family against finite differences in f64.
#include <gtest/gtest.h>

#include "heed/kernels/reference/layer.h"
#include "tests/support/gradient_check.h"
#include "tests/support/random_values.h"

namespace heed::kernels {
namespace {

using test::expect_gradient;
using test::normal_values;
using test::weighted_sum;
using Values = std::vector<double>;

std::vector<uint64_t> row_keys(int64_t rows) {
  std::vector<uint64_t> keys(rows);
  for (int64_t r = 0; r < rows; ++r) keys[r] = mix64(77, static_cast<uint64_t>(r));
  return keys;
}

struct ResidualNormCase {
  bool y, norm, d_sum;
  float dropout;
};

class ResidualNormReference : public testing::TestWithParam<ResidualNormCase> {};

TEST_P(ResidualNormReference, GradientIsThatOfTheForwardPass) {
  const ResidualNormCase which = GetParam();
  constexpr int64_t rows = 5, width = 7, size = rows * width;
  Values x = normal_values<double>(size, 1), y = normal_values<double>(size, 2);
  Values gain = normal_values<double>(width, 3), bias = normal_values<double>(width, 4);
  const Values d_normed = normal_values<double>(size, 5), d_sum = normal_values<double>(size, 6);
  const std::vector<uint64_t> keys = row_keys(rows);
  const Dropout dropout{which.dropout, 99};

  Values sum(size), normed(size), mean(rows), rstd(rows);
  const auto forward = [&] {
    reference::residual_norm(ResidualNormArgs<double>{.rows = rows,
                                                      .width = width,
                                                      .x = x.data(),
                                                      .y = which.y ? y.data() : nullptr,
                                                      .dropout = dropout,
                                                      .row_keys = keys.data(),
                                                      .gain = which.norm ? gain.data() : nullptr,
                                                      .bias = bias.data(),
                                                      .sum = sum.data(),
                                                      .normed = normed.data(),
                                                      .mean = mean.data(),
                                                      .rstd = rstd.data()});
    double loss = which.norm ? weighted_sum(normed, d_normed) : 0.0;
    if (which.d_sum) loss += weighted_sum(which.y ? sum : x, d_sum);
    return loss;
  };
  forward();
  Values d_x(size), d_y(size), d_gain(width), d_bias(width);
  reference::residual_norm_gradient(
      ResidualNormGradientArgs<double>{.rows = rows,
                                       .width = width,
                                       .sum = which.y ? sum.data() : x.data(),
                                       .gain = which.norm ? gain.data() : nullptr,
                                       .mean = mean.data(),
                                       .rstd = rstd.data(),
                                       .d_normed = which.norm ? d_normed.data() : nullptr,
                                       .d_sum = which.d_sum ? d_sum.data() : nullptr,
                                       .dropout = dropout,
                                       .row_keys = keys.data(),
                                       .d_x = d_x.data(),
                                       .d_y = which.y ? d_y.data() : nullptr,
                                       .d_gain = d_gain.data(),
                                       .d_bias = d_bias.data()});
  expect_gradient("x", x, d_x, forward);
  if (which.y) expect_gradient("y", y, d_y, forward);
  if (which.norm) {
    expect_gradient("gain", gain, d_gain, forward);
    expect_gradient("bias", bias, d_bias, forward);
  }
}

INSTANTIATE_TEST_SUITE_P(
    All, ResidualNormReference,
    testing::Values(ResidualNormCase{false, true, false, 0.0f}, ResidualNormCase{false, true, true, 0.0f},
                    ResidualNormCase{true, true, false, 0.0f}, ResidualNormCase{true, true, true, 0.0f},
                    ResidualNormCase{true, true, false, 0.3f}, ResidualNormCase{true, true, true, 0.3f},
                    ResidualNormCase{true, false, true, 0.0f}, ResidualNormCase{true, false, true, 0.3f}));

TEST(EmbeddingReference, GradientIsThatOfTheForwardPass) {
  constexpr int64_t rows = 6, width = 5, words = 4, longest = 3;
  const std::vector<int32_t> ids = {3, 0, 3, 3, 1, 0}, position = {0, 1, 2, 0, 1, 0};
  const std::vector<uint64_t> keys = row_keys(rows);
  for (const float probability : {0.0f, 0.4f}) {
    for (const bool positions : {false, true}) {
      Values table = normal_values<double>(words * width, 1),
             place = normal_values<double>(longest * width, 2);
      const Values dy = normal_values<double>(rows * width, 3);
      Values y(rows * width);
      const Dropout dropout{probability, 5};
      const auto forward = [&] {
        reference::embedding(EmbeddingArgs<double>{.rows = rows,
                                                   .width = width,
                                                   .ids = ids.data(),
                                                   .table = table.data(),
                                                   .scale = 2.5f,
                                                   .positions = positions ? place.data() : nullptr,
                                                   .position = position.data(),
                                                   .dropout = dropout,
                                                   .row_keys = keys.data(),
                                                   .y = y.data()});
        return weighted_sum(y, dy);
      };
      Values d_table(words * width), d_positions(longest * width);
      reference::embedding_gradient(
          EmbeddingGradientArgs<double>{.rows = rows,
                                        .width = width,
                                        .ids = ids.data(),
                                        .scale = 2.5f,
                                        .position = position.data(),
                                        .dropout = dropout,
                                        .row_keys = keys.data(),
                                        .dy = dy.data(),
                                        .d_table = d_table.data(),
                                        .d_positions = positions ? d_positions.data() : nullptr});
      expect_gradient("table", table, d_table, forward);
      if (positions) expect_gradient("positions", place, d_positions, forward);
    }
  }
}

TEST(ActivationReference, GradientIsThatOfTheForwardPass) {
  constexpr int64_t rows = 4, width = 9, size = rows * width;
  const std::vector<uint64_t> keys = row_keys(rows);
  for (const Activation activation : {Activation::none, Activation::relu, Activation::squared_relu,
                                      Activation::gelu, Activation::tanh, Activation::sigmoid}) {
    for (const float probability : {0.0f, 0.4f}) {
      Values x = normal_values<double>(size, 1, 2.0);
      const Values dy = normal_values<double>(size, 2);
      Values y(size), output(size), dx(size);
      ActivationArgs<double> args{.rows = rows, .width = width, .activation = activation};
      args.x = x.data();
      args.y = output.data();
      reference::activate(args);  // without dropout: what the gradient takes
      args.y = y.data();
      args.dropout = {probability, 11};
      args.row_keys = keys.data();
      const auto forward = [&] {
        reference::activate(args);
        return weighted_sum(y, dy);
      };
      reference::activate_gradient(ActivationGradientArgs<double>{
          .rows = rows,
          .width = width,
          .activation = activation,
          .dropout = args.dropout,
          .row_keys = keys.data(),
          .x = activation == Activation::gelu || activation == Activation::squared_relu ? x.data()
                                                                                        : output.data(),
          .dy = dy.data(),
          .dx = dx.data()});
      expect_gradient("x", x, dx, forward);
    }
  }
}

TEST(DropoutReference, DropsTheShareAskedForAndKeepsTheMean) {
  constexpr int64_t rows = 64, width = 1024;
  const std::vector<uint64_t> keys = row_keys(rows);
  int64_t dropped = 0;
  double sum = 0;
  for (int64_t r = 0; r < rows; ++r) {
    const reference::DropoutFactors factor({0.3f, 1234}, keys.data(), r);
    for (int64_t c = 0; c < width; ++c) {
      dropped += factor(c) == 0.0f;
      sum += factor(c);
    }
  }
  // 65,536 draws: the standard deviation of the share is 0.0018, of the mean 0.0026; five of them.
  EXPECT_NEAR(static_cast<double>(dropped) / (rows * width), 0.3, 0.009);
  EXPECT_NEAR(sum / (rows * width), 1.0, 0.013);
}

}  // namespace
}  // namespace heed::kernels
