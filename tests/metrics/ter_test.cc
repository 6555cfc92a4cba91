#include "heed/metrics/ter.h"

#include "tests/metrics/fixture.h"

namespace heed {
namespace {

TEST(Ter, EqualsSacrebleuOnShiftsAndOddText) {
  const auto all = metrics_fixture()["ter"];
  ASSERT_EQ(all["ter"].size(), 32u);
  for (const auto& c : all["ter"]) {
    TercomOptions options;
    options.case_sensitive = c["case_sensitive"];
    options.normalized = c["normalized"];
    options.no_punctuation = c["no_punctuation"];
    options.asian = c["asian"];
    expect_sacrebleu<Ter>(all, c, options, options);
  }
}

TEST(Ter, AShiftIsOneEdit) {
  Ter ter;
  ter.add("on the mat the cat sat", Lines{"the cat sat on the mat"});
  EXPECT_DOUBLE_EQ(ter.score().score, 100.0 / 6);
}

TEST(Ter, MergedPartsScoreAsTheWhole) {
  Ter whole, first, second;
  for (Ter* part : {&whole, &first}) part->add("the same word", Lines{"the same words"});
  for (Ter* part : {&whole, &second}) part->add("some other words", Lines{"words"});
  first.merge(second);
  EXPECT_EQ(first.score().line(), whole.score().line());
  EXPECT_GT(first.score().score, 0);
}

TEST(Ter, RefusesWhatCannotBeScored) {
  Ter ter;
  EXPECT_THROW(ter.add("\xff", Lines{"a"}), InputError);
  EXPECT_THROW(ter.add("a", Lines{}), Error);
}

}  // namespace
}  // namespace heed
