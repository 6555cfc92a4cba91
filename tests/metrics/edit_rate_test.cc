#include "heed/metrics/edit_rate.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>

namespace heed {
namespace {

using Lines = std::vector<std::string>;

MetricScore rate(EditRateOptions options, const std::string& hypothesis, const Lines& references) {
  EditRate metric(options);
  metric.add(hypothesis, references);
  return metric.score();
}

// By the definition, without a table.
int plain_edits(const std::vector<int>& a, const std::vector<int>& b, size_t i, size_t j) {
  if (i == a.size() || j == b.size()) return static_cast<int>(a.size() - i + b.size() - j);
  if (a[i] == b[j]) return plain_edits(a, b, i + 1, j + 1);
  return 1 + std::min(
                 {plain_edits(a, b, i + 1, j + 1), plain_edits(a, b, i + 1, j), plain_edits(a, b, i, j + 1)});
}

TEST(EditRate, CountsEditsOverTheReferencesLength) {
  EXPECT_EQ(rate({}, "the cat sat", {"the cat sat"}).score, 0);
  EXPECT_EQ(rate({}, "a cat sat down", {"the cat sat on it"}).score, 60);
  EXPECT_EQ(rate({}, "", {"four words are missing"}).score, 100);
  EXPECT_EQ(rate({}, "three too many words", {"words"}).score, 300);
  EXPECT_EQ(rate({}, "something", {""}).score, 100);
  EXPECT_EQ(rate({}, "", {""}).score, 0);
  EXPECT_EQ(rate({}, "The", {"the"}).score, 100);
}

TEST(EditRate, EqualsTheDefinitionOnRandomWords) {
  std::mt19937 random(7);
  for (int round = 0; round < 200; ++round) {
    std::vector<int> words[2];
    std::string lines[2];
    for (int side = 0; side < 2; ++side) {
      words[side].resize(1 + random() % 7);
      for (int& word : words[side]) lines[side] += std::to_string(word = random() % 3) + " ";
    }
    const double edits = plain_edits(words[0], words[1], 0, 0);
    EXPECT_DOUBLE_EQ(rate({}, lines[0], {lines[1]}).score, 100 * edits / static_cast<double>(words[1].size()))
        << lines[0] << "/ " << lines[1];
  }
}

TEST(EditRate, TheClosestReferenceCounts) {
  EXPECT_EQ(rate({}, "a b c", {"x y z", "a b c d"}).score, 25);
  EXPECT_EQ(rate({}, "a b c", {"a b c d", "a b"}).score, 50);  // one edit each: the shorter
}

TEST(EditRate, PronunciationsOfAWordAreAlternatives) {
  EditRateOptions words, phonemes;
  words.pronunciations = phonemes.pronunciations = true;
  phonemes.kind = EditRateKind::kPer;
  EditRate wer(words), per(phonemes), wer_rest(words), per_rest(phonemes);
  for (EditRate* metric : {&wer, &per}) {
    metric->add("T AH M EY T OW", Lines{"T AH M AA T OW\tT AH M EY T OW"});
    metric->add("R IY D", Lines{"R EH D"});
  }
  for (EditRate* metric : {&wer_rest, &per_rest}) metric->add("DH AH", Lines{"DH IY\tDH AH\tDH"});
  wer.merge(wer_rest);
  per.merge(per_rest);
  EXPECT_EQ(wer.score().line(),
            "WER|nrefs:var|case:mixed|tok:none|pronunciations:yes = 33.33 (wrong = 1 words = 3)");
  EXPECT_EQ(per.score().line(),
            "PER|nrefs:var|case:mixed|tok:none|pronunciations:yes = 9.09 (edits = 1 ref_len = 11)");
}

TEST(EditRate, ATabAtTheEndIsNoPronunciation) {
  EditRateOptions options;
  options.pronunciations = true;
  EditRate wer(options);
  wer.add("", Lines{"A B C\t"});
  EXPECT_EQ(wer.score().score, 100.0);
}

TEST(EditRate, RefusesWhatCannotBeScored) {
  EXPECT_THROW(rate({}, "\xff", {"a"}), InputError);
  EXPECT_THROW(rate({}, "a", {}), Error);
}

}  // namespace
}  // namespace heed
