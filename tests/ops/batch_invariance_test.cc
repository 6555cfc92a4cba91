// A row's result does not depend on the rows beside it, byte for byte, for 1 to 129 of them.
#include <gtest/gtest.h>

#include <cstring>

#include "heed/ops/linear.h"
#include "heed/ops/output.h"
#include "tests/support/levels.h"
#include "tests/support/random_values.h"

namespace heed::test {
namespace {

constexpr int64_t kRows = 129, kInner = 70, kOuter = 83;

class BatchInvariance : public ::testing::TestWithParam<DType> {
 protected:
  // f(context, rows) gives a tensor with as many rows, which are compared with those of all 129.
  template <class F>
  void expect_same_rows(F&& f) {
    on_each_level([&] {
      Context c(2, GetParam());
      c.arena.fill_with_nan(true);
      const Tensor all = f(c, rows(c, 0, kRows)).keep();
      for (int64_t count = 1; count <= kRows; ++count) {
        const int64_t first = kRows - count;  // so that rows stand elsewhere in their batch, too
        const Tensor some = f(c, rows(c, first, kRows)).keep();
        ASSERT_EQ(std::memcmp(bytes(some, 0), bytes(all, first),
                              static_cast<size_t>(some.size() * size_of(some.dtype()))),
                  0)
            << count << " rows";
        c.arena.reset();
      }
    });
  }

  static const void* bytes(const Tensor& tensor, int64_t row) {
    if (tensor.dtype() == DType::bf16) return tensor.row<Bf16>(row);
    return tensor.row<float>(row);
  }

  Tensor rows(Context& c, int64_t begin, int64_t end) const {
    Tensor x = c.allocate({end - begin, kInner});
    dispatch(x.dtype(), [&](auto zero) {
      using T = decltype(zero);
      for (int64_t i = 0; i < x.size(); ++i) x.data<T>()[i] = T(values_[begin * kInner + i]);
    });
    return x;
  }

  const std::vector<float> values_ = normal_values<float>(kRows * kInner, 1);
  const Parameter weight_{"weight", Tensor::of({kOuter, kInner}, normal_values<float>(kOuter* kInner, 2))};
  const Parameter bias_{"bias", Tensor::of({kOuter}, normal_values<float>(kOuter, 3))};
};

TEST_P(BatchInvariance, Linear) {
  expect_same_rows([&](Context& c, const Tensor& x) {
    return linear(c, Var(x), weight_, &bias_, kernels::Activation::relu).value;
  });
}

TEST_P(BatchInvariance, LogProbabilities) {
  expect_same_rows([&](Context& c, const Tensor& x) { return output_log_probs(c, x, weight_, &bias_); });
}

TEST_P(BatchInvariance, LossOfARow) {
  expect_same_rows([&](Context& c, const Tensor& x) {
    const std::vector<int32_t> targets(static_cast<size_t>(x.rows()), 7);
    return output_loss(c, Var(x), weight_, &bias_, targets, 0.1).row_loss.reshaped({x.rows(), 1});
  });
}

TEST_P(BatchInvariance, BestWords) {
  expect_same_rows([&](Context& c, const Tensor& x) {
    const TopWords top = output_top_k(c, x, weight_, &bias_, 5);
    Tensor both = Tensor::empty({x.rows(), 10});
    for (int64_t r = 0; r < x.rows(); ++r) {
      for (int64_t i = 0; i < 5; ++i) {
        both.row<float>(r)[i] = top.log_probs[r * 5 + i];
        both.row<float>(r)[5 + i] = static_cast<float>(top.ids[r * 5 + i]);
      }
    }
    return both;
  });
}

INSTANTIATE_TEST_SUITE_P(All, BatchInvariance, ::testing::Values(DType::f32, DType::bf16),
                         [](const auto& info) { return std::string(name_of(info.param)); });

}  // namespace
}  // namespace heed::test
