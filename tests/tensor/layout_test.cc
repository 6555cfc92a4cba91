#include "heed/tensor/layout.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "heed/base/error.h"

namespace heed {
namespace {

TEST(Layout, RowsBelongToSentences) {
  const std::vector<int32_t> lengths = {3, 0, 2};
  const Layout layout = Layout::of_lengths(lengths, {7, 8, 9});
  EXPECT_EQ(layout.sentences(), 3);
  EXPECT_EQ(layout.rows(), 5);
  EXPECT_EQ(layout.longest(), 3);
  EXPECT_EQ(layout.length(1), 0);
  EXPECT_EQ(layout.begin(2), 3);
  EXPECT_EQ(std::vector<int32_t>(layout.positions().begin(), layout.positions().end()),
            (std::vector<int32_t>{0, 1, 2, 0, 1}));
}

TEST(Layout, RowKeysDependOnSentenceNumberAndPositionOnly) {
  const std::vector<int32_t> one = {2}, two = {1, 2};
  const Layout alone = Layout::of_lengths(one, {42});
  const Layout second = Layout::of_lengths(two, {5, 42});
  EXPECT_EQ(alone.row_keys()[0], second.row_keys()[1]);
  EXPECT_EQ(alone.row_keys()[1], second.row_keys()[2]);
  EXPECT_NE(alone.row_keys()[0], alone.row_keys()[1]);
}

TEST(Layout, TheRowsAtAPositionKeepTheirKeys) {
  const std::vector<int32_t> lengths = {3, 0, 1, 2};
  const Layout layout = Layout::of_lengths(lengths, {7, 8, 9, 4});
  const Layout second = layout.rows_at(1);
  EXPECT_EQ(std::vector<int32_t>(second.offsets().begin(), second.offsets().end()),
            (std::vector<int32_t>{0, 1, 1, 1, 2}));
  EXPECT_EQ(std::vector<int32_t>(second.positions().begin(), second.positions().end()),
            (std::vector<int32_t>{1, 1}));
  EXPECT_EQ(std::vector<uint64_t>(second.row_keys().begin(), second.row_keys().end()),
            (std::vector<uint64_t>{layout.row_keys()[1], layout.row_keys()[5]}));
  EXPECT_TRUE(std::ranges::equal(second.numbers(), layout.numbers()));
  EXPECT_EQ(second.longest(), 1);
  EXPECT_EQ(second.positions_end(), 2);
  EXPECT_EQ(layout.rows_at(3).rows(), 0);
  EXPECT_EQ(layout.rows_at(3).longest(), 0);
}

TEST(Layout, RowsAloneKeepWhatTheyAre) {
  const std::vector<int32_t> lengths = {1, 0, 3};
  const Layout layout = Layout::of_lengths(lengths, {7, 8, 9});
  const Layout alone = layout.rows_alone();
  EXPECT_TRUE(std::ranges::equal(alone.offsets(), std::vector<int32_t>{0, 1, 2, 3, 4}));
  EXPECT_TRUE(std::ranges::equal(alone.numbers(), std::vector<uint64_t>{7, 9, 9, 9}));
  EXPECT_TRUE(std::ranges::equal(alone.positions(), layout.positions()));
  EXPECT_TRUE(std::ranges::equal(alone.row_keys(), layout.row_keys()));
  EXPECT_EQ(alone.longest(), 1);
  EXPECT_EQ(alone.positions_end(), 3);
  EXPECT_EQ(layout.rows_at(3).rows_alone().longest(), 0);
}

TEST(Layout, RefusesDescendingOffsets) {
  EXPECT_THROW(Layout(std::vector<int32_t>{0, 3, 2}), Error);
  EXPECT_THROW(Layout(std::vector<int32_t>{0, -1}), Error);
  EXPECT_THROW(Layout(std::vector<int32_t>{0, 3}, {1, 2}), Error);
}

}  // namespace
}  // namespace heed
