#include "heed/data/batch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "heed/base/error.h"
#include "heed/base/random.h"

namespace heed {
namespace {

// Sentences of 1 to 40 tokens a side; the ids tell sentence and position.
Corpus some_corpus(size_t sentences) {
  Corpus corpus;
  corpus.columns = {Column{"source"}, Column{"target"}};
  for (size_t i = 0; i < sentences; ++i) {
    for (size_t c = 0; c < 2; ++c) {
      std::vector<int32_t> sentence(1 + uniform_below(7 + c, i, 40));
      for (size_t p = 0; p < sentence.size(); ++p) sentence[p] = static_cast<int32_t>(i * 100 + p);
      corpus.columns[c].add(sentence);
    }
    corpus.numbers.push_back(10 * i + 1);
  }
  return corpus;
}

std::vector<std::vector<uint32_t>> batches_of(const BatchPlan& plan) {
  std::vector<std::vector<uint32_t>> batches;
  for (size_t i = 0; i < plan.batches(); ++i)
    batches.emplace_back(plan.batch(i).begin(), plan.batch(i).end());
  return batches;
}

struct Sizes {
  int64_t longest = 0, source = 0, target = 0;
};
Sizes sizes_of(const Corpus& corpus, std::span<const uint32_t> batch) {
  Sizes sizes;
  for (const uint32_t i : batch) {
    sizes.source += corpus.columns[0].length(i);
    sizes.target += corpus.columns[1].length(i);
    sizes.longest =
        std::max<int64_t>({sizes.longest, corpus.columns[0].length(i), corpus.columns[1].length(i)});
  }
  return sizes;
}

// The peer's batches: sorted by (target, source) length, cut where longest * count would exceed the budget.
TEST(BatchPlan, CutsAsMaxTokensDoes) {
  const Corpus corpus = some_corpus(500);
  BatchOptions options;
  options.tokens = 256;
  options.shuffle = false;
  const auto batches = batches_of(BatchPlan(corpus, options, 1, 1));

  std::vector<uint32_t> order(corpus.size());
  for (uint32_t i = 0; i < order.size(); ++i) order[i] = i;
  std::stable_sort(order.begin(), order.end(), [&](uint32_t a, uint32_t b) {
    return std::pair(corpus.columns[1].length(a), corpus.columns[0].length(a)) <
           std::pair(corpus.columns[1].length(b), corpus.columns[0].length(b));
  });
  std::vector<std::vector<uint32_t>> expected;
  std::vector<uint32_t> current;
  int32_t longest = 0;
  for (const uint32_t i : order) {
    const int32_t own = std::max(corpus.columns[0].length(i), corpus.columns[1].length(i));
    int32_t n = std::max(longest, own);
    if (!current.empty() && n * static_cast<int32_t>(current.size() + 1) > 256) {
      expected.push_back(current);
      current.clear();
      n = own;
    }
    current.push_back(i);
    longest = n;
  }
  expected.push_back(current);
  EXPECT_EQ(batches, expected);
}

TEST(BatchPlan, KeepsEveryBudgetAndEverySentence) {
  const Corpus corpus = some_corpus(500);
  for (const BatchSize size : {BatchSize::kPadded, BatchSize::kRows, BatchSize::kSentences})
    for (const bool by_length : {true, false}) {
      BatchOptions options;
      options.size = size;
      options.tokens = 256;
      options.sentences = 7;
      options.by_length = by_length;
      const BatchPlan plan(corpus, options, 5, 2);
      std::multiset<uint32_t> seen;
      for (const auto& batch : batches_of(plan)) {
        ASSERT_FALSE(batch.empty());
        seen.insert(batch.begin(), batch.end());
        const Sizes sizes = sizes_of(corpus, batch);
        const auto count = static_cast<int64_t>(batch.size());
        EXPECT_TRUE(size != BatchSize::kPadded || sizes.longest * count <= 256);
        EXPECT_TRUE(size != BatchSize::kRows || std::max(sizes.source, sizes.target) <= 256);
        EXPECT_TRUE(size != BatchSize::kSentences || count <= 7);
      }
      EXPECT_EQ(seen.size(), corpus.size());
      EXPECT_EQ(std::set(seen.begin(), seen.end()).size(), corpus.size());
    }
}

TEST(BatchPlan, IsAFunctionOfSeedAndEpoch) {
  const Corpus corpus = some_corpus(300);
  BatchOptions options;
  options.tokens = 200;
  const auto plan = [&](uint64_t seed, uint64_t epoch) {
    return batches_of(BatchPlan(corpus, options, seed, epoch));
  };
  EXPECT_EQ(plan(1, 1), plan(1, 1));
  EXPECT_NE(plan(1, 1), plan(1, 2));
  EXPECT_NE(plan(1, 1), plan(2, 1));
  EXPECT_NE(plan(1, 2), plan(2, 1));
  options.shuffle = false;
  EXPECT_EQ(plan(1, 1), plan(2, 7));
}

TEST(BatchPlan, SpreadsEachSentenceOverThePlaces) {
  const Corpus corpus = some_corpus(4);
  BatchOptions options;
  options.size = BatchSize::kSentences;
  options.sentences = 1;
  options.by_length = false;
  std::vector<int> first(4, 0);
  for (uint64_t epoch = 0; epoch < 4000; ++epoch) ++first[BatchPlan(corpus, options, 3, epoch).batch(0)[0]];
  for (const int count : first) EXPECT_NEAR(count, 1000, 165);  // six standard deviations
}

TEST(BatchPlan, AnOversizedSentenceIsABatchOfItsOwn) {
  const Corpus corpus = some_corpus(20);
  BatchOptions options;
  options.tokens = 1;
  EXPECT_EQ(BatchPlan(corpus, options, 1, 1).batches(), 20u);
  EXPECT_EQ(BatchPlan(Corpus{}, options, 1, 1).batches(), 0u);
}

TEST(BatchPlan, GroupsBatchesIntoUpdates) {
  const Corpus corpus = some_corpus(20);
  BatchOptions options;
  options.size = BatchSize::kSentences;
  options.sentences = 2;
  options.batches_per_update = 4;
  const BatchPlan plan(corpus, options, 1, 1);
  EXPECT_EQ(plan.batches(), 10u);
  ASSERT_EQ(plan.updates(), 3u);
  EXPECT_EQ(plan.first_batch(2), 8u);
  EXPECT_EQ(plan.batches_of(0), 4u);
  EXPECT_EQ(plan.batches_of(2), 2u);
}

TEST(Batch, HoldsTheSentencesItWasAskedFor) {
  const Corpus corpus = some_corpus(10);
  const std::vector<uint32_t> indices = {7, 0, 3};
  const Batch batch = make_batch(corpus, indices);
  EXPECT_EQ(batch.sentences(), 3);
  const TokenField& target = batch.field("target");
  EXPECT_EQ(std::vector<uint64_t>(target.layout.numbers().begin(), target.layout.numbers().end()),
            (std::vector<uint64_t>{71, 1, 31}));
  EXPECT_EQ(target.layout.rows(), static_cast<int64_t>(target.ids.size()));
  EXPECT_EQ(target.layout.length(1), corpus.columns[1].length(0));
  EXPECT_EQ(target.ids[target.layout.begin(2)], 300);
  EXPECT_TRUE(batch.has("source"));
  EXPECT_FALSE(batch.has("label"));
  EXPECT_THROW(batch.field("label"), Error);
}

TEST(Batch, FieldsComeFromPlainSentencesToo) {
  const std::vector<std::vector<int32_t>> sentences = {{5, 0}, {}, {6, 7, 0}};
  const TokenField field = make_field(sentences, {4, 5, 6});
  EXPECT_EQ(field.ids, (std::vector<int32_t>{5, 0, 6, 7, 0}));
  EXPECT_EQ(field.layout.length(1), 0);
  EXPECT_EQ(field.layout.numbers()[2], 6u);
}

}  // namespace
}  // namespace heed
