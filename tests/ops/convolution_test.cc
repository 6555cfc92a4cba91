// What the convolution over positions promises.
#include "heed/ops/convolution.h"

#include <gtest/gtest.h>

namespace heed::test {
namespace {

constexpr int64_t kWidth = 70;  // more than the columns of one piece

Parameter weights_of(const std::vector<float>& taps) {
  Tensor value = Tensor::empty({static_cast<int64_t>(taps.size()), kWidth}, DType::f32);
  for (size_t k = 0; k < taps.size(); ++k)
    std::fill_n(value.row<float>(static_cast<int64_t>(k)), kWidth, taps[k]);
  return {"weights", value};
}

TEST(DepthwiseConvolution, ATapIsANeighbourOfTheSameSentence) {
  Context c(1);
  const Layout layout = Layout::of_lengths(std::vector<int32_t>{3, 0, 2, 1});
  const Tensor x = c.allocate({6, kWidth});
  for (int64_t r = 0; r < 6; ++r)
    for (int64_t j = 0; j < kWidth; ++j)
      x.row<float>(r)[j] = static_cast<float>(r + 1) + 10.0f * static_cast<float>(j);
  const auto rows_with = [&](const std::vector<float>& taps, int64_t left) {
    const Parameter weights = weights_of(taps);
    const Tensor y = depthwise_convolution(c, Var(x), layout, weights, left).value;
    std::vector<std::vector<float>> columns;
    for (const int64_t column : {int64_t{0}, kWidth - 1}) {
      columns.emplace_back();
      for (int64_t r = 0; r < 6; ++r) columns.back().push_back(y.row<float>(r)[column]);
    }
    return columns;
  };
  using Columns = std::vector<std::vector<float>>;
  EXPECT_EQ(rows_with({0, 1, 0}, 1), (Columns{{1, 2, 3, 4, 5, 6}, {691, 692, 693, 694, 695, 696}}));
  EXPECT_EQ(rows_with({1, 0, 0}, 1), (Columns{{0, 1, 2, 0, 4, 0}, {0, 691, 692, 0, 694, 0}}));
  EXPECT_EQ(rows_with({0, 0, 1}, 1), (Columns{{2, 3, 0, 5, 0, 0}, {692, 693, 0, 695, 0, 0}}));
  // Wider than any sentence, and of the past alone.
  EXPECT_EQ(rows_with({1, 0, 1, 1}, 3), (Columns{{1, 3, 5, 4, 9, 6}, {691, 1383, 1385, 694, 1389, 696}}));
}

TEST(DepthwiseConvolution, ShapesThatDoNotFitAreRefused) {
  Context c(1);
  const Layout layout = Layout::of_lengths(std::vector<int32_t>{2});
  const Var x(c.allocate({2, kWidth})), narrow(c.allocate({2, kWidth - 1}));
  const Parameter weights = weights_of({1, 1, 1});
  EXPECT_NO_THROW(depthwise_convolution(c, x, layout, weights, 1));
  EXPECT_THROW(depthwise_convolution(c, narrow, layout, weights, 1), Error);
  EXPECT_THROW(depthwise_convolution(c, x, layout, weights, 3), Error);
  EXPECT_THROW(depthwise_convolution(c, x, layout, weights, -1), Error);
  EXPECT_THROW(depthwise_convolution(c, x, Layout::of_lengths(std::vector<int32_t>{3}), weights, 1), Error);
}

}  // namespace
}  // namespace heed::test
