// The losses that work through blocks of rows: many rows are what their halves are together.
#include <gtest/gtest.h>

#include <functional>

#include "heed/ops/output.h"
#include "tests/support/levels.h"
#include "tests/support/random_values.h"
#include "tests/support/tolerance.h"

namespace heed::test {
namespace {

// A block is 256 rows: all of them are a whole one and a part, each half is less than one.
constexpr int64_t kRows = 300, kHalf = 150, kWidth = 20, kWords = 37;

// One of the two losses, of rows begin .. end; x has a part for each pass.
using LossOfRows =
    std::function<OutputLoss(Context& c, const std::vector<Var>& x, int64_t begin, int64_t end)>;

std::vector<double> doubles(const Tensor& x) {
  std::vector<double> values;
  dispatch(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for (int64_t i = 0; i < x.size(); ++i) values.push_back(static_cast<float>(x.data<T>()[i]));
  });
  return values;
}

class OutputBlocks : public ::testing::Test {
 protected:
  struct Results {
    double sum = 0.0;
    std::vector<double> row_loss, log_prob, d_weight, d_bias, d_inputs;
  };

  Results run(DType precision, int64_t passes, int64_t begin, int64_t end, const LossOfRows& loss_of) const {
    Context c(2, precision);
    c.arena.fill_with_nan(true);
    std::vector<Var> inputs;
    for (int64_t pass = 0; pass < passes; ++pass) {
      Var& x = inputs.emplace_back(c.allocate({end - begin, kWidth}));
      dispatch(precision, [&](auto zero) {
        using T = decltype(zero);
        for (int64_t i = 0; i < x.value.size(); ++i)
          x.value.data<T>()[i] = T(values_[static_cast<size_t>((pass * kRows + begin) * kWidth + i)]);
      });
      x.gradient = std::make_shared<Gradient>();
    }
    Tape tape;
    const Mode recording(c, &tape, c.training);
    const OutputLoss loss = loss_of(c, inputs, begin, end);
    tape.backward(c, loss.sum);
    Results results{.sum = loss.sum.value.item(),
                    .row_loss = doubles(loss.row_loss),
                    .log_prob = doubles(loss.log_prob),
                    .d_weight = doubles(weight_.gradient().take(c)),
                    .d_bias = doubles(bias_.gradient().take(c)),
                    .d_inputs = {}};
    for (const Var& x : inputs) {
      const std::vector<double> d = doubles(x.gradient->take(c));
      results.d_inputs.insert(results.d_inputs.end(), d.begin(), d.end());
    }
    return results;
  }

  void expect_that_halves_make_a_whole(int64_t passes, const LossOfRows& loss_of) const {
    at_each_level_and_precision([&](DType precision) {
      const Results whole = run(precision, passes, 0, kRows, loss_of),
                    first = run(precision, passes, 0, kHalf, loss_of),
                    second = run(precision, passes, kHalf, kRows, loss_of);
      // A row does not know the others.
      const auto joined = [](std::vector<double> a, const std::vector<double>& b) {
        a.insert(a.end(), b.begin(), b.end());
        return a;
      };
      EXPECT_EQ(whole.row_loss, joined(first.row_loss, second.row_loss));
      EXPECT_EQ(whole.log_prob, joined(first.log_prob, second.log_prob));
      for (int64_t pass = 0; pass < passes; ++pass) {
        const auto part = [&](const Results& results, int64_t rows) {
          const auto from = results.d_inputs.begin() + pass * rows * kWidth;
          return std::vector<double>(from, from + rows * kWidth);
        };
        EXPECT_EQ(part(whole, kRows), joined(part(first, kHalf), part(second, kHalf))) << "pass " << pass;
      }
      // Three roundings of f32.
      EXPECT_NEAR(whole.sum, first.sum + second.sum, 4 * kF32Rounding * whole.sum);
      // Sums over the same rows, in f32 whatever the rows are, in another order.
      const auto added = [](std::vector<double> a, const std::vector<double>& b) {
        for (size_t i = 0; i < a.size(); ++i) a[i] += b[i];
        return a;
      };
      const Tolerance of_sums = tolerance(Quantity::op_gradient, DType::f32);
      expect_near_largest("d_weight", whole.d_weight, added(first.d_weight, second.d_weight), of_sums);
      expect_near_largest("d_bias", whole.d_bias, added(first.d_bias, second.d_bias), of_sums);
    });
  }

  std::vector<int32_t> targets(int64_t begin, int64_t end) const {
    std::vector<int32_t> some;
    for (int64_t row = begin; row < end; ++row)
      some.push_back(static_cast<int32_t>(uniform_below(4, static_cast<uint64_t>(row), kWords)));
    return some;
  }

  const std::vector<float> values_ = normal_values<float>(2 * kRows * kWidth, 1);
  const Parameter weight_{"weight",
                          Tensor::of({kWords, kWidth}, normal_values<float>(kWords* kWidth, 2, 0.3))};
  const Parameter bias_{"bias", Tensor::of({kWords}, normal_values<float>(kWords, 3))};
};

TEST_F(OutputBlocks, RDropOfManyRowsIsThatOfItsHalves) {
  expect_that_halves_make_a_whole(2, [&](Context& c, const std::vector<Var>& x, int64_t begin, int64_t end) {
    return r_drop_loss(c, x[0], x[1], weight_, &bias_, targets(begin, end), 0.1, 2.0);
  });
}

TEST_F(OutputBlocks, DistillationOfManyRowsIsThatOfItsHalves) {
  const Tensor taught = Tensor::empty({kRows, kWords});
  for (int64_t row = 0; row < kRows; ++row) {
    double sum = 0;
    for (int64_t word = 0; word < kWords; ++word)
      sum += taught.row<float>(row)[word] =
          static_cast<float>(uniform(mix64(5, static_cast<uint64_t>(row)), static_cast<uint64_t>(word)));
    for (int64_t word = 0; word < kWords; ++word) taught.row<float>(row)[word] /= static_cast<float>(sum);
  }
  expect_that_halves_make_a_whole(1, [&](Context& c, const std::vector<Var>& x, int64_t begin, int64_t end) {
    return distillation_loss(c, x[0], weight_, &bias_, targets(begin, end), 0.1, taught.row_range(begin, end),
                             0.6);
  });
}

}  // namespace
}  // namespace heed::test
