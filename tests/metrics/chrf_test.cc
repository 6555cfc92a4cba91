#include "heed/metrics/chrf.h"

#include "tests/metrics/fixture.h"

namespace heed {
namespace {

TEST(Chrf, EqualsSacrebleuOnOddText) {
  const auto all = metrics_fixture();
  ASSERT_EQ(all["chrf"].size(), 24u);
  for (const auto& c : all["chrf"]) {
    ChrfOptions options;
    options.word_order = c["words"];
    options.lowercase = c["lowercase"];
    options.whitespace = c["whitespace"];
    expect_sacrebleu<Chrf>(all, c, options, options);
  }
}

TEST(Chrf, MergedPartsScoreAsTheWhole) {
  const Lines reference = {"the same words"};
  Chrf whole, first, second;
  for (Chrf* part : {&whole, &first}) part->add("the same word", reference);
  for (Chrf* part : {&whole, &second}) part->add("some other words", reference);
  first.merge(second);
  EXPECT_EQ(first.score().line(), whole.score().line());
  EXPECT_GT(first.score().score, 0);
}

TEST(Chrf, RefusesWhatCannotBeScored) {
  Chrf chrf;
  EXPECT_THROW(chrf.add("\xff", Lines{"a"}), InputError);
  EXPECT_THROW(chrf.add("a", Lines{}), Error);
  EXPECT_THROW(chrf.merge(Chrf({.word_order = 2})), Error);
}

}  // namespace
}  // namespace heed
