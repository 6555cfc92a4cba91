#include "heed/tensor/tensor.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "heed/base/random.h"
#include "heed/tensor/arena.h"

namespace heed {
namespace {

TEST(Bf16, RoundsToNearestEvenAndKeepsNaN) {
  EXPECT_EQ(static_cast<float>(Bf16(1.0f)), 1.0f);
  EXPECT_EQ(Bf16(std::bit_cast<float>(0x3F808000u)).bits, 0x3F80);  // a tie goes to the even one
  EXPECT_EQ(Bf16(std::bit_cast<float>(0x3F818000u)).bits, 0x3F82);
  EXPECT_EQ(Bf16(std::bit_cast<float>(0x3F808001u)).bits, 0x3F81);
  EXPECT_TRUE(std::isnan(static_cast<float>(Bf16(std::bit_cast<float>(0x7F800001u)))));
  EXPECT_EQ(static_cast<float>(Bf16(std::numeric_limits<float>::max())),
            std::numeric_limits<float>::infinity());
}

TEST(Tensor, ViewsShareRowsAndColumns) {
  const Tensor x = Tensor::of({2, 3}, std::vector<float>{1, 2, 3, 4, 5, 6});
  const Tensor right = x.columns(1, 3);
  EXPECT_EQ(right.shape(), (Shape{2, 2}));
  EXPECT_EQ(right.row<float>(1)[0], 5);
  EXPECT_FALSE(right.is_dense());
  EXPECT_EQ(right.keep().data<float>()[3], 6);
  EXPECT_EQ(x.row_range(1, 2).row<float>(0)[2], 6);
  EXPECT_EQ(x.reshaped({3, 2}).row<float>(2)[0], 5);
  EXPECT_THROW(right.reshaped({4}), Error);
  EXPECT_THROW(x.columns(1, 4), Error);
  EXPECT_THROW(x.data<Bf16>(), Error);
  EXPECT_THROW(x.item(), Error);
}

TEST(Arena, ReusesWhatWasGivenBack) {
  Arena arena;
  const void* first = arena.allocate({100, 100}, DType::f32).data<float>();
  EXPECT_EQ(arena.allocate({100, 100}, DType::f32).data<float>(), first);
  const int64_t reserved = arena.reserved_bytes();
  for (int step = 0; step < 10; ++step) {
    std::vector<Tensor> live;
    for (int64_t i = 1; i < 40; ++i) live.push_back(arena.allocate({i, 97}, DType::bf16));
    for (size_t i = 1; i < live.size(); ++i) {
      EXPECT_LE(live[i - 1].data<Bf16>() + live[i - 1].size(), live[i].data<Bf16>());
    }
    arena.reset();
  }
  EXPECT_EQ(arena.reserved_bytes(), reserved);
}

TEST(Arena, TakesALargerBlockBeforeFreshMemory) {
  Arena arena;
  const float* const large = arena.allocate({1000}, DType::f32).data<float>();
  {
    const Tensor smaller = arena.allocate({300}, DType::f32);
    EXPECT_EQ(smaller.data<float>(), large);
    EXPECT_NE(arena.allocate({1000}, DType::f32).data<float>(), large);
  }
  EXPECT_EQ(arena.allocate({1000}, DType::f32).data<float>(), large);  // it is as large as it was
  EXPECT_NE(arena.allocate({100}, DType::f32).data<float>(), large);   // not ten times too large
}

TEST(Arena, LiveBlocksNeverOverlap) {
  Arena arena;
  std::vector<Tensor> live(20);
  for (uint64_t i = 0; i < 2000; ++i) {
    Tensor& tensor = live[uniform_below(1, 2 * i, live.size())];
    if (tensor) {
      const float* const numbers = tensor.data<float>();
      for (int64_t k = 1; k < tensor.size(); ++k) ASSERT_EQ(numbers[k], numbers[0]) << "block " << i;
    }
    const auto size = static_cast<int64_t>(1 + uniform_below(1, 2 * i + 1, 3000));
    tensor = arena.allocate({size}, DType::f32);
    std::fill_n(tensor.data<float>(), size, static_cast<float>(i));
  }
}

TEST(Arena, BlocksAreAsLargeAsAsked) {
  Arena arena;
  arena.fill_with_nan(true);
  for (int64_t size = 1; size < 5000; size += 7) {
    const Tensor a = arena.allocate({size}, DType::f32), b = arena.allocate({size}, DType::f32);
    EXPECT_GE(std::abs(b.data<float>() - a.data<float>()), size);
    EXPECT_TRUE(std::isnan(a.data<float>()[size - 1]));
  }
}

TEST(Arena, UseAfterResetThrows) {
  Arena arena;
  const Tensor step = arena.allocate({2}, DType::f32);
  step.data<float>()[0] = step.data<float>()[1] = 3;
  const Tensor kept = step.keep();
  arena.reset();
  EXPECT_THROW(step.data<float>(), Error);
  EXPECT_EQ(kept.data<float>()[1], 3);
}

TEST(Arena, GrowsAndBecomesOnePiece) {
  Arena arena;
  std::vector<Tensor> live;
  for (int i = 0; i < 40; ++i) live.push_back(arena.allocate({1024, 1024}, DType::f32));
  live.clear();
  arena.reset();
  const int64_t reserved = arena.reserved_bytes();
  for (int i = 0; i < 36; ++i) live.push_back(arena.allocate({1024, 1024}, DType::f32));
  EXPECT_EQ(arena.reserved_bytes(), reserved);
}

}  // namespace
}  // namespace heed
