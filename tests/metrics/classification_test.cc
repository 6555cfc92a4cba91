#include "heed/metrics/classification.h"

#include <gtest/gtest.h>

namespace heed {
namespace {

using Lines = std::vector<std::string>;

const Lines kGiven = {"cat", "cat", "dog", "dog", "bird ", "cat"};
const Lines kMeant = {"cat", "dog", "dog", "dog", "cat", " cat"};

TEST(Classification, AccuracyIsTheShareOfEqualLabels) {
  Classification accuracy;
  add_corpus(accuracy, kGiven, {kMeant});
  EXPECT_EQ(accuracy.score().line(), "Accuracy|classes:3 = 66.67 (right = 4 lines = 6)");
}

// As heed classify writes them.
TEST(Classification, AProbabilityBehindTheLabelIsNoPartOfIt) {
  Classification accuracy;
  add_corpus(accuracy, {"cat\t0.93", "very good \t0.51", "\tcat"}, {{"cat", "very good", "dog\t1"}});
  EXPECT_EQ(accuracy.score().line(), "Accuracy|classes:3 = 66.67 (right = 2 lines = 3)");
}

TEST(Classification, F1IsTheMeanOverClassesAndTellsEach) {
  Classification f1(ClassificationScore::kF1);
  add_corpus(f1, kGiven, {kMeant});
  const MetricScore score = f1.score();
  // cat: 2 right of 3 given and 3 meant; dog: 2 right of 2 and 3; bird: given once, never meant.
  ASSERT_EQ(score.classes.size(), 3u);
  EXPECT_EQ(score.classes[0].label, "bird");
  EXPECT_EQ(score.classes[0].f1, 0);
  EXPECT_EQ(score.classes[0].count, 0);
  EXPECT_DOUBLE_EQ(score.classes[1].precision, 200.0 / 3);
  EXPECT_DOUBLE_EQ(score.classes[1].recall, 200.0 / 3);
  EXPECT_DOUBLE_EQ(score.classes[2].precision, 100);
  EXPECT_DOUBLE_EQ(score.classes[2].recall, 200.0 / 3);
  EXPECT_DOUBLE_EQ(score.classes[2].f1, 80);
  EXPECT_EQ(score.classes[2].count, 3);
  EXPECT_DOUBLE_EQ(score.score, (0 + 200.0 / 3 + 80) / 3);
  EXPECT_EQ(score.details, "(micro = 66.67)");
}

TEST(Classification, MergedPartsScoreAsTheWhole) {
  Classification whole(ClassificationScore::kF1), first = whole, second = whole;
  add_corpus(whole, kGiven, {kMeant});
  for (size_t i = 0; i < kGiven.size(); ++i) (i < 2 ? first : second).add(kGiven[i], Lines{kMeant[i]});
  first.merge(second);
  EXPECT_EQ(first.score().json(), whole.score().json());
}

TEST(Classification, NothingGivesZeroAndTwoReferencesAreRefused) {
  EXPECT_EQ(Classification().score().score, 0);
  EXPECT_EQ(Classification(ClassificationScore::kF1).score().score, 0);
  Classification accuracy;
  EXPECT_THROW(accuracy.add("a", Lines{"a", "b"}), InputError);
}

}  // namespace
}  // namespace heed
