#include "heed/decode/sampling.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "heed/base/random.h"

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

// The 0.999 quantile of chi-square with 4 degrees of freedom; fewer have a lower one. The seed is fixed.
constexpr double kQuantile = 18.47;
const std::vector<double> kWords = {0.1, 0.4, 0.05, 0.3, 0.15};

TEST(Sampling, DrawsFromTheDistribution) {
  EXPECT_LT(chi_square(counts(kWords, 1.0, 0, 1.0), kWords), kQuantile);
}

TEST(Sampling, TemperatureIsAPower) {
  for (const double temperature : {0.5, 2.0}) {
    std::vector<double> expected;
    double sum = 0.0;
    for (const double p : kWords) sum += expected.emplace_back(std::pow(p, 1.0 / temperature));
    for (double& p : expected) p /= sum;
    EXPECT_LT(chi_square(counts(kWords, temperature, 0, 1.0), expected), kQuantile) << temperature;
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

}  // namespace
}  // namespace heed
