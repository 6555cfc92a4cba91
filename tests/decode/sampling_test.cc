#include "heed/decode/sampling.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "heed/base/random.h"
#include "heed/decode/search.h"
#include "tests/decode/toy_decoder.h"
#include "tests/support/sentences.h"

namespace heed {
namespace {

constexpr int kDraws = 20000;

std::vector<float> logarithms(const std::vector<double>& probabilities) {
  std::vector<float> log_probs;
  for (const double p : probabilities) log_probs.push_back(static_cast<float>(std::log(p)));
  return log_probs;
}

std::vector<int> counts(const std::vector<double>& probabilities, double temperature, int64_t top_k,
                        double top_p) {
  const std::vector<float> log_probs = logarithms(probabilities);
  std::vector<int> counts(probabilities.size(), 0);
  for (int i = 0; i < kDraws; ++i) {
    ++counts.at(static_cast<size_t>(sample_token(log_probs, temperature, top_k, top_p, uniform(11, i))));
  }
  return counts;
}

// Pearson's statistic against these probabilities; words of probability 0 must not have been drawn.
double chi_square(const std::vector<int>& counts, const std::vector<double>& expected) {
  double sum = 0.0;
  for (size_t i = 0; i < counts.size(); ++i) {
    if (expected[i] == 0.0) {
      EXPECT_EQ(counts[i], 0) << i;
      continue;
    }
    const double mean = expected[i] * kDraws;
    sum += (counts[i] - mean) * (counts[i] - mean) / mean;
  }
  return sum;
}

// p^(1/T), normalised.
std::vector<double> sharpened(const std::vector<double>& probabilities, double temperature) {
  std::vector<double> powers;
  double sum = 0.0;
  for (const double p : probabilities) sum += powers.emplace_back(std::pow(p, 1.0 / temperature));
  for (double& p : powers) p /= sum;
  return powers;
}

// The 0.999 quantile of chi-square with 4 degrees of freedom; fewer have a lower one. The seed is fixed.
constexpr double kQuantile = 18.47;
const std::vector<double> kWords = {0.1, 0.4, 0.05, 0.3, 0.15};

TEST(Sampling, DrawsFromTheDistribution) {
  EXPECT_LT(chi_square(counts(kWords, 1.0, 0, 1.0), kWords), kQuantile);
}

TEST(Sampling, TemperatureIsAPower) {
  for (const double temperature : {0.5, 2.0}) {
    EXPECT_LT(chi_square(counts(kWords, temperature, 0, 1.0), sharpened(kWords, temperature)), kQuantile)
        << temperature;
    EXPECT_GT(chi_square(counts(kWords, temperature, 0, 1.0), kWords), kQuantile) << temperature;
  }
}

TEST(Sampling, TopKAndTopPCut) {
  EXPECT_LT(chi_square(counts(kWords, 1.0, 2, 1.0), {0, 0.4 / 0.7, 0, 0.3 / 0.7, 0}), kQuantile);
  // 0.4 + 0.3 < 0.8 <= 0.4 + 0.3 + 0.15
  EXPECT_LT(chi_square(counts(kWords, 1.0, 0, 0.8), {0, 0.4 / 0.85, 0, 0.3 / 0.85, 0.15 / 0.85}), kQuantile);
  EXPECT_LT(chi_square(counts(kWords, 1.0, 0, 0.001), {0, 1.0, 0, 0, 0}), kQuantile);
  EXPECT_LT(chi_square(counts(kWords, 1.0, 1, 1.0), {0, 1.0, 0, 0, 0}), kQuantile);
  EXPECT_LT(chi_square(counts(kWords, 1.0, 99, 1.0), kWords), kQuantile);
}

TEST(Sampling, TiesGoToTheLowerId) {
  const std::vector<float> equal(6, std::log(1.0f / 6));
  for (const double number : {0.0, 0.5, 0.999999}) EXPECT_LT(sample_token(equal, 1.0, 2, 1.0, number), 2);
  EXPECT_EQ(sample_token(equal, 1.0, 1, 1.0, 0.7), 0);
}

TEST(Sampling, ForbiddenTokensAreNeverDrawn) {
  const std::vector<float> log_probs = logarithms({0.0, 0.5, 0.0, 0.5});
  for (int i = 0; i < 1000; ++i) EXPECT_EQ(sample_token(log_probs, 1.0, 0, 1.0, uniform(3, i)) % 2, 1);
  EXPECT_EQ(sample_token(log_probs, 0.01, 0, 1.0, 1.0 - 1e-16) % 2, 1);
}

// From here on whole outputs, drawn by search().
std::vector<Hypothesis> drawn(const test::ToyDecoder& decoder, SearchOptions options, int64_t samples) {
  options.sample = true;
  options.beam = samples;
  Context c(1);
  const std::vector<uint64_t> keys = {1};
  return search(c, decoder, test::tokens({{9, 0}}), options, keys).at(0);
}

// How often outputs begin with </s> (they are empty) and the four words after the reserved ones, which the
// decoder gives the probabilities kWords.
std::vector<int> first_words(const SearchOptions& options) {
  const test::ToyDecoder decoder(7, {{{9}, {0.1, 0, 0, 0.4, 0.05, 0.3, 0.15}}});
  std::vector<int> counts(kWords.size(), 0);
  for (const Hypothesis& output : drawn(decoder, options, kDraws))
    ++counts.at(output.ids.empty() ? 0 : static_cast<size_t>(output.ids[0] - 2));
  return counts;
}

TEST(DrawnOutputs, FollowTheDistribution) {
  EXPECT_LT(chi_square(first_words({}), kWords), kQuantile);
}

TEST(DrawnOutputs, FollowTheTemperature) {
  for (const double temperature : {0.5, 2.0}) {
    const std::vector<int> counts = first_words({.temperature = temperature});
    EXPECT_LT(chi_square(counts, sharpened(kWords, temperature)), kQuantile) << temperature;
    EXPECT_GT(chi_square(counts, kWords), kQuantile) << temperature;
  }
}

TEST(DrawnOutputs, AreOfTheBestWordsOnly) {
  EXPECT_LT(chi_square(first_words({.top_k = 2}), {0, 0.4 / 0.7, 0, 0.3 / 0.7, 0}), kQuantile);
  EXPECT_LT(chi_square(first_words({.top_p = 0.8}), {0, 0.4 / 0.85, 0, 0.3 / 0.85, 0.15 / 0.85}), kQuantile);
}

TEST(DrawnOutputs, OfTheBestWordAloneAreGreedySearchs) {
  const test::ToyDecoder decoder(6, {{{9}, {0.2, 0, 0, 0.5, 0.3, 0}},
                                     {{9, 3}, {0.3, 0, 0, 0.1, 0.6, 0}},
                                     {{9, 3, 4}, {0.4, 0, 0, 0.3, 0, 0.3}}});
  Context c(1);
  const Hypothesis greedy = search(c, decoder, test::tokens({{9, 0}}), {.beam = 1}).at(0).at(0);
  EXPECT_EQ(greedy.ids, (test::Prefix{3, 4}));
  for (const SearchOptions& options : {SearchOptions{.top_k = 1}, SearchOptions{.top_p = 0.001}}) {
    for (const Hypothesis& output : drawn(decoder, options, 100)) {
      EXPECT_EQ(output.ids, greedy.ids);
      EXPECT_EQ(output.token_log_probs, greedy.token_log_probs);  // the model's, not those of what was cut
      EXPECT_EQ(output.score, greedy.score);
      EXPECT_TRUE(output.ended);
    }
  }
}

TEST(DrawnOutputs, AreNoShorterThanTheyMayBe) {
  std::map<test::Prefix, std::vector<double>> table;  // most probably the end, or else on with 3
  for (test::Prefix prefix = {9}; prefix.size() < 40; prefix.push_back(3)) table[prefix] = {0.9, 0, 0, 0.1};
  const test::ToyDecoder decoder(4, table);
  for (const size_t least : {0, 1, 3}) {
    size_t shortest = 40;
    for (const Hypothesis& output : drawn(decoder, {.min_length = static_cast<int64_t>(least)}, 200))
      shortest = std::min(shortest, output.ids.size());
    EXPECT_EQ(shortest, least);
  }
}

}  // namespace
}  // namespace heed
