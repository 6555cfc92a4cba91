// What a translation's training minimises, from the model's probabilities by hand.
#include "heed/train/translation.h"

#include <gtest/gtest.h>

#include "heed/models/transformer.h"

namespace heed {
namespace {

TEST(TranslationObjective, SmoothsTheLabelsOverAllWords) {
  constexpr int64_t kWords = 12;
  TransformerConfig config;
  config.width = 16;
  config.heads = 2;
  config.layers = 1;
  config.feed_forward = 16;
  const Transformer model(config, kWords, kWords, 5);
  Corpus corpus;
  corpus.columns = {{"source"}, {"target"}};
  const std::vector<int32_t> sentences[] = {{3, 4, 0}, {5, 0}};
  for (const auto& sentence : sentences) {
    for (Column& column : corpus.columns) column.add(sentence);
    corpus.numbers.push_back(corpus.numbers.size() + 1);
  }
  const std::vector<uint32_t> both = {0, 1};
  const Batch batch = make_batch(corpus, both);
  const TokenField& target = batch.field("target");
  Context c(1);
  const Tensor log_probs = model.log_probs(c, batch.field("source"), target);

  for (const double smoothing : {0.0, 0.1, 0.5}) {
    double expected = 0.0;  // (1 - e) -log p(target) + e / V sum of -log p (Szegedy et al. 2016, section 7)
    for (int64_t row = 0; row < target.layout.rows(); ++row) {
      const float* p = log_probs.data<float>() + row * kWords;
      expected -= (1 - smoothing) * p[target.ids[row]];
      for (int64_t word = 0; word < kWords; ++word) expected -= smoothing / kWords * p[word];
    }
    const BatchLoss loss = TranslationObjective(model, smoothing).loss(c, batch, 1);
    EXPECT_EQ(loss.count, 5.0);
    EXPECT_NEAR(loss.sum.value.item(), expected, 1e-5 * expected);  // sums of f32
  }
}

}  // namespace
}  // namespace heed
