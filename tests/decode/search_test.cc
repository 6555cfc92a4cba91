#include "heed/decode/search.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "heed/base/error.h"
#include "tests/decode/toy_decoder.h"
#include "tests/support/sentences.h"

namespace heed::test {
namespace {

constexpr int32_t A = 3, B = 4, C = 5;

// After the source 9: A is likelier than B, but B leads to the sentence with the highest probability:
//   A C 0.6 * 0.4 = 0.24, A B 0.6 * 0.35 = 0.21, A 0.6 * 0.25 = 0.15, B C 0.4 * 0.9 = 0.36, B 0.4 * 0.1 =
//   0.04
ToyDecoder garden_path() {
  //                  </s> <unk> <s> A    B     C
  return ToyDecoder(6, {{{9}, {0.0, 0, 0, 0.6, 0.4, 0.0}},
                        {{9, A}, {0.25, 0, 0, 0.0, 0.35, 0.4}},
                        {{9, B}, {0.1, 0, 0, 0.0, 0.0, 0.9}}});
}

std::vector<Hypothesis> found(const StepDecoder& decoder, const SearchOptions& options,
                              const std::vector<int32_t>& source = {9, 0}) {
  Context c(1);
  return search(c, decoder, tokens({source}), options).at(0);
}

SearchOptions with(int64_t beam, double length_penalty = 0.0) {
  SearchOptions options;
  options.beam = beam;
  options.length_penalty = length_penalty;
  return options;
}

TEST(Search, BeamFindsTheArgMaxThatGreedyMisses) {
  const auto greedy = found(garden_path(), with(1));
  ASSERT_EQ(greedy.size(), 1u);
  EXPECT_EQ(greedy[0].ids, (Prefix{A, C}));
  EXPECT_NEAR(greedy[0].log_prob, std::log(0.24), 1e-6);  // f32 logarithms, added in f64
  const auto beam = found(garden_path(), with(2));
  EXPECT_EQ(beam[0].ids, (Prefix{B, C}));
  EXPECT_NEAR(beam[0].log_prob, std::log(0.36), 1e-6);
}

TEST(Search, HypothesesComeBestFirst) {
  const auto best = found(garden_path(), with(5));
  ASSERT_EQ(best.size(), 5u);
  const std::vector<Prefix> expected = {{B, C}, {A, C}, {A, B}, {A}, {B}};
  for (size_t i = 0; i < best.size(); ++i) {
    EXPECT_EQ(best[i].ids, expected[i]) << i;
    EXPECT_TRUE(best[i].ended);
    ASSERT_EQ(best[i].token_log_probs.size(), best[i].ids.size() + 1);
    double sum = 0.0;
    for (const float log_prob : best[i].token_log_probs) sum += log_prob;
    EXPECT_NEAR(best[i].log_prob, sum, 1e-12);
    EXPECT_EQ(best[i].score, best[i].log_prob);
  }
}

TEST(Search, ScoreIsDividedByThePowerOfLength) {
  // A: 0.5 with two tokens, B B B: 0.45 with four. Without the penalty A wins, with it B.
  const ToyDecoder decoder(6, {{{9}, {0, 0, 0, 0.5, 0.5, 0}},
                               {{9, A}, {1.0, 0, 0, 0, 0, 0}},
                               {{9, B}, {0, 0, 0, 0, 0.9, 0.1}},
                               {{9, B, B}, {0, 0, 0, 0, 1.0, 0}}});
  EXPECT_EQ(found(decoder, with(3, 0.0))[0].ids, (Prefix{A}));
  const auto normalised = found(decoder, with(3, 1.0));
  EXPECT_EQ(normalised[0].ids, (Prefix{B, B, B}));
  EXPECT_NEAR(normalised[0].score, std::log(0.45) / 4, 1e-6);
  const auto squared = found(decoder, with(3, 2.0));
  EXPECT_NEAR(squared[0].score, std::log(0.45) / 16, 1e-6);
}

TEST(Search, LimitsOfLength) {
  // Ends or goes on with A, for ever.
  std::map<Prefix, std::vector<double>> table;
  for (Prefix prefix = {9}; prefix.size() < 40; prefix.push_back(A)) table[prefix] = {0.8, 0, 0, 0.2, 0, 0};
  const ToyDecoder ending(6, table);
  for (auto& [prefix, row] : table) row = {0.2, 0, 0, 0.8, 0, 0};
  const ToyDecoder endless(6, table);
  for (const int64_t beam : {1, 3}) {
    SearchOptions options = with(beam);
    EXPECT_TRUE(found(ending, options)[0].ids.empty());
    options.min_length = 2;
    EXPECT_EQ(found(ending, options)[0].ids, (Prefix{A, A}));
    EXPECT_TRUE(found(ending, options)[0].ended);

    options = with(beam);
    options.max_length = 5;
    for (const Hypothesis& hypothesis : found(endless, options)) EXPECT_LE(hypothesis.ids.size(), 5u);
  }
  SearchOptions options = with(1);
  options.max_length = 5;
  EXPECT_EQ(found(endless, options)[0].ids, (Prefix{A, A, A, A, A}));
  EXPECT_FALSE(found(endless, options)[0].ended);
  options.max_length = 0;
  options.max_length_factor = 1.5;
  EXPECT_EQ(found(endless, options, {9, 9, 9, 0})[0].ids.size(), 16u);  // 1.5 x 4 + 10
  // As long as it may be and finished; the shorter ones that have ended do not keep it out.
  options = with(2);
  options.max_length = 2;
  EXPECT_EQ(found(garden_path(), options)[0].ids, (Prefix{B, C}));
  EXPECT_TRUE(found(garden_path(), options)[0].ended);
  options.max_length = 1;  // where none of the best two continuations is the end
  EXPECT_EQ(found(garden_path(), options)[0].ids, (Prefix{A}));
  EXPECT_FALSE(found(garden_path(), options)[0].ended);
  options.sample = true;
  options.max_length = 3;
  Context c(1);
  const std::vector<uint64_t> keys = {1};
  const auto samples = search(c, endless, tokens({{9, 0}}), options, keys);
  for (const Hypothesis& sample : samples[0]) EXPECT_TRUE(sample.ended || sample.ids.size() == 3);
  EXPECT_EQ(SearchOptions{.max_length_factor = 0.0}.limit(100), 10);
  EXPECT_EQ((SearchOptions{.min_length = 30, .max_length = 20}.limit(100)), 30);
}

// Here one more hypothesis ends at each step, and that without words is the best: with 0.8^7 > 0.2 > 0.8^8
// the one alive scores better for seven steps.
TEST(Search, IsDoneWhenEnoughHaveEndedAndNoneAliveIsBetter) {
  std::map<Prefix, std::vector<double>> table;
  for (Prefix prefix = {9}; prefix.size() < 40; prefix.push_back(A)) table[prefix] = {0.2, 0, 0, 0.8, 0, 0};
  const ToyDecoder decoder(6, table);
  for (const int64_t beam : {2, 3, 8, 10}) {
    Context c(1);
    int64_t steps = 0;
    const auto best =
        search(c, decoder, tokens({{9, 0}}), with(beam, 0.0), {}, [&](const SearchStep&) { ++steps; }).at(0);
    EXPECT_EQ(steps, std::max<int64_t>(8, beam));
    ASSERT_EQ(static_cast<int64_t>(best.size()), beam);
    for (int64_t i = 0; i < beam; ++i) {
      EXPECT_TRUE(best[i].ended);
      EXPECT_EQ(best[i].ids, Prefix(static_cast<size_t>(i), A));
    }
  }
}

// Where there are few words, poor hypotheses end early: as many as the beam is wide have ended before the
// good one does, which greedy search finds.
TEST(Search, ASureHypothesisIsNotGivenUpForPoorOnesThatEnded) {
  std::map<Prefix, std::vector<double>> table;
  Prefix good = {9};
  for (int i = 0; i < 6; ++i, good.push_back(A)) {
    table[good] = {0.05, 0, 0, 0.9, 0.05, 0};
    Prefix poor = good;
    poor.push_back(B);
    table[poor] = {1.0, 0, 0, 0, 0, 0};
  }
  table[good] = {1.0, 0, 0, 0, 0, 0};
  const ToyDecoder decoder(6, table);
  for (const int64_t beam : {1, 2, 3, 5}) {
    Context c(1);
    const Hypothesis best = search(c, decoder, tokens({{9, 0}}), with(beam, 1.0)).at(0).at(0);
    EXPECT_EQ(best.ids, Prefix(6, A)) << beam;
  }
}

// Among scores a length penalty makes the mean of what each word costs, which is small where a word repeats
// itself for sure; without one the sentence that is likelier as a whole is found.
TEST(Search, WithALengthPenaltyWhatRepeatsItselfGoesOn) {
  std::map<Prefix, std::vector<double>> table = {{{9}, {0, 0, 0, 0.5, 0.5, 0}},
                                                 {{9, B}, {1.0, 0, 0, 0, 0, 0}}};
  for (Prefix prefix = {9, A}; prefix.size() < 40; prefix.push_back(A))
    table[prefix] = {0.01, 0, 0, 0.99, 0, 0};
  const ToyDecoder decoder(6, table);
  SearchOptions options = with(2, 1.0);
  options.max_length_factor = 20;
  options.max_length = 30;
  EXPECT_EQ(found(decoder, options).front().ids, Prefix(30, A));
  options.length_penalty = 0.0;
  EXPECT_EQ(found(decoder, options).front().ids, Prefix{B});
}

// A decoder in which no word may follow and the sentence may not end.
TEST(Search, DeadEndsGiveWhatThereIs) {
  const ToyDecoder decoder(6, {{{9}, {0, 0, 0, 1.0, 0, 0}}, {{9, A}, {0, 0, 0, 0, 0, 0}}});
  for (const int64_t beam : {1, 4}) {
    const auto best = found(decoder, with(beam));
    ASSERT_FALSE(best.empty());
    EXPECT_EQ(best[0].ids, (Prefix{A}));
  }
}

// However likely: <s> is no word of an output.
TEST(Search, TheBeginningIsNeverWritten) {
  //                           </s> <unk> <s> A    B    C
  const ToyDecoder decoder(6, {{{9}, {0.0, 0, 0.7, 0.2, 0.1, 0.0}}, {{9, A}, {0.3, 0, 0.6, 0.1, 0, 0}}});
  for (const int64_t beam : {1, 2, 3})
    for (const Hypothesis& hypothesis : found(decoder, with(beam)))
      EXPECT_EQ(std::count(hypothesis.ids.begin(), hypothesis.ids.end(), kBeginToken), 0) << beam;
  EXPECT_EQ(found(decoder, with(1))[0].ids, (Prefix{A}));
  Context c(1);
  SearchOptions options = with(50);
  options.sample = true;
  const std::vector<uint64_t> keys = {1};
  const auto samples = search(c, decoder, tokens({{9, 0}}), options, keys);
  for (const Hypothesis& hypothesis : samples[0]) {
    EXPECT_EQ(std::count(hypothesis.ids.begin(), hypothesis.ids.end(), kBeginToken), 0);
    EXPECT_FALSE(hypothesis.ids.empty());
  }
}

TEST(Search, NaNIsAnError) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  const ToyDecoder decoder(6, {{{9}, {nan, nan, nan, nan, nan, nan}}});
  EXPECT_THROW(found(decoder, with(1)), InputError);
  EXPECT_THROW(found(decoder, with(3)), InputError);
  Context c(1);
  SearchOptions options = with(1);
  options.sample = true;
  const std::vector<uint64_t> keys = {1};
  EXPECT_THROW(search(c, decoder, tokens({{9, 0}}), options, keys), InputError);
}

// Sentences of one batch end at different times and never change each other.
TEST(Search, SentencesOfABatchAreSearchedAlone) {
  std::map<Prefix, std::vector<double>> table;
  Sentences sources;
  for (int32_t s = 6; s < 20; ++s) {
    sources.push_back({s, 0});
    uint64_t drawn = 0;
    std::vector<Prefix> open = {{s}};
    for (int depth = 0; depth < s % 4 + 1; ++depth) {
      std::vector<Prefix> next;
      for (const Prefix& prefix : open) {
        std::vector<double> row(6, 0.0);
        double sum = 0.0;
        for (const int32_t word : {0, A, B, C}) sum += row[word] = uniform(s, drawn++);
        for (double& p : row) p /= sum;
        table[prefix] = row;
        for (const int32_t word : {A, B, C}) {
          next.push_back(prefix);
          next.back().push_back(word);
        }
      }
      open = next;
    }
  }
  const ToyDecoder decoder(6, table);
  Context c(1);
  for (const int64_t beam : {1, 2, 5}) {
    const auto together = search(c, decoder, tokens(sources), with(beam, 1.0));
    ASSERT_EQ(together.size(), sources.size());
    for (size_t i = 0; i < sources.size(); ++i) {
      const auto alone = found(decoder, with(beam, 1.0), sources[i]);
      ASSERT_EQ(alone.size(), together[i].size());
      for (size_t n = 0; n < alone.size(); ++n) {
        EXPECT_EQ(alone[n].ids, together[i][n].ids);
        EXPECT_EQ(alone[n].score, together[i][n].score);
      }
    }
  }
}

TEST(Search, ObserverSeesWhatWasKept) {
  Context c(1);
  std::vector<SearchStep> steps;
  search(c, garden_path(), tokens({{9, 0}}), with(2), {},
         [&](const SearchStep& step) { steps.push_back(step); });
  ASSERT_GE(steps.size(), 2u);
  ASSERT_GE(steps[0].rows.size(), 2u);
  EXPECT_EQ(steps[0].rows[0].token, A);
  EXPECT_EQ(steps[0].rows[1].token, B);
  EXPECT_TRUE(steps[0].rows[0].kept && steps[0].rows[1].kept);
  EXPECT_EQ(steps[1].rows[0].parent, 1);  // B C
  EXPECT_EQ(steps[1].rows[0].token, C);
}

TEST(Search, SamplesDependOnKeyAndSeedOnly) {
  std::map<Prefix, std::vector<double>> table;
  for (const int32_t s : {9, 10}) table[{s}] = {0.0, 0, 0, 0.25, 0.25, 0.5};
  const ToyDecoder decoder(6, table);
  Context c(1);
  SearchOptions options = with(200);
  options.sample = true;
  const auto words = [](const std::vector<Hypothesis>& samples) {
    Prefix words;
    for (const Hypothesis& sample : samples) words.push_back(sample.ids.at(0));
    return words;
  };
  const std::vector<uint64_t> one = {77}, two = {5, 77};
  const Prefix alone = words(search(c, decoder, tokens({{9, 0}}), options, one)[0]);
  const auto company = search(c, decoder, tokens({{10, 0}, {9, 0}}), options, two);
  EXPECT_EQ(words(company[1]), alone);
  EXPECT_NE(words(company[0]), alone);
  EXPECT_GT(std::count(alone.begin(), alone.end(), C), 60);
  EXPECT_LT(std::count(alone.begin(), alone.end(), C), 140);
  options.seed = 2;
  EXPECT_NE(words(search(c, decoder, tokens({{9, 0}}), options, one)[0]), alone);
  EXPECT_THROW(search(c, decoder, tokens({{9, 0}}), options, two), Error);
}

}  // namespace
}  // namespace heed::test
