// The plain recurrent pass against finite differences in f64.
#include <gtest/gtest.h>

#include "heed/kernels/reference/recurrent.h"
#include "tests/support/gradient_check.h"
#include "tests/support/random_values.h"

namespace heed::kernels {
namespace {

using test::expect_gradient;
using test::normal_values;
using test::weighted_sum;
using Values = std::vector<double>;

class RecurrentReference : public testing::TestWithParam<std::tuple<Cell, bool>> {};

TEST_P(RecurrentReference, GradientIsThatOfTheForwardPass) {
  const Cell cell = std::get<0>(GetParam());
  const bool reverse = std::get<1>(GetParam());
  constexpr int64_t sentences = 4, width = 3, rows = 8;
  const int32_t offsets[] = {0, 3, 3, 4, rows};
  const int64_t all = gates_of(cell) * width, states = sentences * width;
  Values x = normal_values<double>(rows * all, 1), weight = normal_values<double>(all * width, 2, 0.5);
  Values bias = normal_values<double>(all, 3), initial = normal_values<double>(states, 4);
  Values initial_cell = normal_values<double>(states, 5);
  const Values d_h = normal_values<double>(rows * width, 6), d_last = normal_values<double>(states, 7);
  const Values d_last_cell = normal_values<double>(states, 8);
  Values h(rows * width), last(states), last_cell(states), h_previous(rows * width), saved(rows * 4 * width);
  Values cells(rows * 2 * width);
  RecurrentArgs<double> args{.cell = cell, .sentences = sentences, .width = width, .offsets = offsets};
  args.reverse = reverse;
  args.gates_x = x.data();
  args.gates_stride = all;
  args.bias = bias.data();
  args.initial = initial.data();
  args.initial_cell = initial_cell.data();
  args.h = h.data();
  args.h_stride = width;
  args.last = last.data();
  args.last_cell = last_cell.data();
  args.h_previous = h_previous.data();
  args.saved = saved.data();
  args.cells = cells.data();
  const auto forward = [&] {
    reference::recurrent(args, weight.data());
    return weighted_sum(h, d_h) + weighted_sum(last, d_last) +
           (cell == Cell::lstm ? weighted_sum(last_cell, d_last_cell) : 0.0);
  };
  forward();

  Values d_x(rows * all), d_candidate(rows * width), d_initial(states), d_initial_cell(states);
  RecurrentGradientArgs<double> gradient{};
  gradient.forward = args;
  gradient.d_h = d_h.data();
  gradient.d_h_stride = width;
  gradient.d_last = d_last.data();
  gradient.d_last_cell = d_last_cell.data();
  gradient.d_gates_x = d_x.data();
  gradient.d_candidate = d_candidate.data();
  gradient.d_initial = d_initial.data();
  gradient.d_initial_cell = d_initial_cell.data();
  reference::recurrent_gradient(gradient, weight.data());

  Values d_weight(all * width), d_bias(all);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t g = 0; g < all; ++g) {
      const bool candidate = cell == Cell::gru && g >= 2 * width;
      const double slope = candidate ? d_candidate[r * width + g - 2 * width] : d_x[r * all + g];
      d_bias[g] += slope;
      for (int64_t k = 0; k < width; ++k) d_weight[g * width + k] += slope * h_previous[r * width + k];
    }
  }
  expect_gradient("gates_x", x, d_x, forward);
  expect_gradient("weight", weight, d_weight, forward);
  expect_gradient("bias", bias, d_bias, forward);
  expect_gradient("initial", initial, d_initial, forward);
  if (cell == Cell::lstm) expect_gradient("initial_cell", initial_cell, d_initial_cell, forward);
}

INSTANTIATE_TEST_SUITE_P(All, RecurrentReference,
                         testing::Combine(testing::Values(Cell::gru, Cell::lstm), testing::Bool()));

}  // namespace
}  // namespace heed::kernels
