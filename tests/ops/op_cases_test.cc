// What holds for every op, shown on every case of the registry: its value is that of the plain definition,
// its gradient that of finite differences of the definition in f64, and neither depends on the number of
// threads. At every processor level, in f32 and bf16, memory that nobody wrote being NaN.
#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

#include "tests/ops/registry.h"
#include "tests/support/levels.h"
#include "tests/support/tolerance.h"

namespace heed::test {
namespace {

struct Named {
  const Op* op;
  const OpCase* op_case;
};

std::vector<Named> all_cases() {
  std::vector<Named> all;
  for (const Op& op : registered_ops()) {
    for (const OpCase& op_case : op.cases) all.push_back({&op, &op_case});
  }
  return all;
}

Values values_of(const Tensor& tensor) {
  Values values;
  dispatch(tensor.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for (int64_t r = 0; r < tensor.rows(); ++r)
      std::transform(tensor.row<T>(r), tensor.row<T>(r) + tensor.width(), std::back_inserter(values),
                     [](T x) { return static_cast<float>(x); });
  });
  return values;
}

std::string bytes_of(const Tensor& tensor) {
  const Tensor dense = tensor.keep();
  const auto* bytes = dense.dtype() == DType::bf16 ? reinterpret_cast<const char*>(dense.data<Bf16>())
                                                   : reinterpret_cast<const char*>(dense.data<float>());
  return std::string(bytes, static_cast<size_t>(dense.size() * size_of(dense.dtype())));
}

class OpCases : public ::testing::TestWithParam<Named> {
 protected:
  const Op& op() const { return *GetParam().op; }
  const OpCase& op_case() const { return *GetParam().op_case; }

  void expect_outputs(const std::vector<Var>& got, const std::vector<Values>& expected, DType precision) {
    ASSERT_EQ(got.size(), expected.size());
    for (size_t i = 0; i < got.size(); ++i) {
      expect_near_largest("output " + std::to_string(i), values_of(got[i].value), expected[i],
                          tolerance(Quantity::op_value, precision));
    }
  }
};

// Ragged, with a sentence of one row and an empty one; and rows past a kernel's block.
const OpSize kSmall{{3, 1, 0, 5}, 12}, kNarrow{{4, 2}, 6}, kLarge{{40, 1, 89}, 48};

TEST_P(OpCases, ValueIsThatOfThePlainDefinition) {
  for (const OpSize& size : {kSmall, kNarrow, kLarge}) {
    SCOPED_TRACE(size.rows());
    std::vector<Values> expected;  // the same for every level and precision
    at_each_level_and_precision([&](DType precision) {
      Context c(2, precision);
      c.arena.fill_with_nan(true);
      OpRunner runner(c, op_case(), size, 11);
      if (expected.empty()) expected = runner.instance().plain(runner.operands());
      expect_outputs(runner.forward(), expected, precision);
    });
  }
}

// d/dx of the weighted sum of the first `differentiable` outputs, by central differences with steps of 1e-5:
// right to 1e-9 or so.
std::vector<Values> finite_differences(const OpRunner& runner, const std::vector<bool>& differentiable) {
  std::vector<Values> x = runner.operands();
  const auto sum = [&] {
    const std::vector<Values> outputs = runner.instance().plain(x);
    double total = 0;
    for (size_t i = 0; i < outputs.size(); ++i) {
      if (!differentiable[i]) continue;
      const Values weights = OpRunner::output_weights(i, static_cast<int64_t>(outputs[i].size()));
      for (size_t j = 0; j < weights.size(); ++j) total += weights[j] * outputs[i][j];
    }
    return total;
  };
  constexpr double kStep = 1e-5;
  std::vector<Values> gradients;
  for (Values& operand : x) {
    Values& gradient = gradients.emplace_back();
    for (double& value : operand) {
      const double kept = value;
      value = kept + kStep;
      const double up = sum();
      value = kept - kStep;
      const double down = sum();
      value = kept;
      gradient.push_back((up - down) / (2 * kStep));
    }
  }
  return gradients;
}

TEST_P(OpCases, GradientIsThatOfFiniteDifferences) {
  for (const OpSize& size : {kSmall, kNarrow}) {
    SCOPED_TRACE(size.rows());
    std::vector<Values> expected;
    at_each_level_and_precision([&](DType precision) {
      Context c(2, precision);
      c.arena.fill_with_nan(true);
      OpRunner runner(c, op_case(), size, 12);
      const OpRunner::Gradients got = runner.forward_backward();
      expect_outputs(got.outputs, runner.instance().plain(runner.operands()), precision);
      std::vector<bool> differentiable;
      for (const Var& output : got.outputs) differentiable.push_back(output.gradient != nullptr);
      const bool any = std::count(differentiable.begin(), differentiable.end(), true) > 0;
      ASSERT_EQ(any, op().has_gradient) << "the registry says otherwise";
      if (!any) return;
      if (expected.empty()) expected = finite_differences(runner, differentiable);
      for (size_t i = 0; i < expected.size(); ++i) {
        const Operand& operand = runner.instance().operands[i];
        ASSERT_TRUE(got.of_operands[i]) << "no gradient for " << operand.name;
        ASSERT_EQ(got.of_operands[i].shape(), operand.shape) << operand.name;
        expect_near_largest("gradient of " + operand.name, values_of(got.of_operands[i]), expected[i],
                            tolerance(Quantity::op_gradient, precision));
      }
    });
  }
}

// Enough rows that weight gradients have several chunks.
TEST_P(OpCases, BytesDoNotDependOnThreads) {
  const OpSize size{{300, 1, 0, 420, 500, 77}, 48};
  at_each_level_and_precision([&](DType precision) {
    std::vector<std::string> expected;
    for (const int threads : {1, 2, 3, 7}) {
      Context c(threads, precision);
      c.arena.fill_with_nan(true);
      OpRunner runner(c, op_case(), size, 13);
      const OpRunner::Gradients got = runner.forward_backward();
      std::vector<std::string> bytes;
      for (const Var& output : got.outputs) bytes.push_back(bytes_of(output.value));
      for (const Tensor& gradient : got.of_operands) bytes.push_back(gradient ? bytes_of(gradient) : "");
      if (expected.empty()) expected = bytes;
      ASSERT_TRUE(bytes == expected) << threads << " threads";
    }
  });
}

INSTANTIATE_TEST_SUITE_P(All, OpCases, ::testing::ValuesIn(all_cases()), [](const auto& info) {
  std::string name = info.param.op->name + "_" + info.param.op_case->name;
  for (char& letter : name) {
    if (!std::isalnum(static_cast<unsigned char>(letter))) letter = '_';
  }
  return name;
});

}  // namespace
}  // namespace heed::test
