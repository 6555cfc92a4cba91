// What is done to words before they are looked up.
#include <gtest/gtest.h>

#include <algorithm>

#include "heed/ops/embedding.h"
#include "tests/support/sentences.h"

namespace heed::test {
namespace {

TEST(DistinctTokens, EachWordStandsOnceAndEveryRowFindsIts) {
  const TokenField field = tokens({{7, 3, 7, 0}, {3, 0}, {9, 7, 0}});
  const DistinctTokens distinct = distinct_tokens(field, 1000000);
  EXPECT_EQ(distinct.words.ids, (std::vector<int32_t>{0, 3, 7, 9}));
  EXPECT_EQ(distinct.words.layout.rows(), 4);
  for (size_t r = 0; r < field.ids.size(); ++r)
    EXPECT_EQ(distinct.words.ids[static_cast<size_t>((*distinct.row_of)[r])], field.ids[r]);
  EXPECT_TRUE(distinct_tokens(tokens({}), 1000000).words.ids.empty());
}

TEST(DropWords, TheShareAskedForInTrainingOnlyAndNeverTheEnd) {
  const TokenField field = tokens(random_sentences(std::vector<int32_t>(50, 40), 90, 1));
  const DropoutSite site("words", 0.25);
  Context c(1);
  c.random_key = 3;
  EXPECT_EQ(drop_words(c, field, site).ids, field.ids);
  c.training = true;
  const TokenField dropped = drop_words(c, field, site);
  int64_t unknown = 0;
  for (size_t r = 0; r < field.ids.size(); ++r) {
    if (dropped.ids[r] == field.ids[r]) continue;
    EXPECT_EQ(dropped.ids[r], kUnknownToken);
    EXPECT_NE(field.ids[r], kEndToken);
    ++unknown;
  }
  // 1,950 words at 0.25: 487, give or take four times the deviation of 19.
  EXPECT_NEAR(static_cast<double>(unknown), 487.0, 77.0);
  // A text loses the same words whatever it is batched with.
  TokenField alone{{field.ids.begin() + 40, field.ids.begin() + 80},
                   Layout::of_lengths(std::vector{40}, {1})};
  const TokenField again = drop_words(c, alone, site);
  EXPECT_TRUE(std::equal(again.ids.begin(), again.ids.end(), dropped.ids.begin() + 40));
  c.random_key = 4;
  EXPECT_NE(drop_words(c, field, site).ids, dropped.ids);
}

}  // namespace
}  // namespace heed::test
