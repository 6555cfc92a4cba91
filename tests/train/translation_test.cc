// What a translation's training minimises, from the model's probabilities by hand.
#include "heed/train/translation.h"

#include <gtest/gtest.h>

#include <cmath>

#include "heed/base/file.h"
#include "heed/data/corpus_reader.h"
#include "heed/models/transformer.h"
#include "tests/support/sentences.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tolerance.h"

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
  const Batch batch = test::pairs_with_themselves({{3, 4, 0}, {5, 0}});
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
    const BatchLoss loss = TranslationObjective(model, {.smoothing = smoothing}).loss(c, batch, 1);
    EXPECT_EQ(loss.count, 5.0);
    EXPECT_NEAR(loss.sum.value.item(), expected, 1e-5 * expected);  // sums of f32
  }
}

// Attention that is the same everywhere: of four keys and two queries (t/T of 0 and 0.5) those at distances
// up to 0.25 hold 2 and 3 of 4.
TEST(TranslationValidator, MeasuresTheAttentionNearTheDiagonal) {
  TransformerConfig config;
  config.width = 8;
  config.heads = 2;
  config.layers = 1;
  config.feed_forward = 8;
  Transformer model(config, 12, 12, 5);
  for (const auto& parameter : model.parameters().all()) {
    if (parameter->name() != "decoder.0.cross.queries.weight" &&
        parameter->name() != "decoder.0.cross.queries.bias")
      continue;
    std::fill_n(parameter->value().data<float>(), parameter->value().size(), 0.0f);
    parameter->forget_packed();
  }
  Corpus corpus;
  corpus.columns = {{"source"}, {"target"}};
  corpus.columns[0].add(std::vector<int32_t>{3, 4, 5, 0});
  corpus.columns[1].add(std::vector<int32_t>{6, 0});
  corpus.numbers = {1};
  Context c(1);
  EXPECT_NEAR(mass_near_diagonal(c, model, corpus, {.width = 0.25, .measure = 5}), 100.0 * 5 / 8, 1e-4);
  EXPECT_NEAR(mass_near_diagonal(c, model, corpus, {.width = 0.25, .layer = 1, .head = 2, .measure = 1}),
              100.0 * 5 / 8, 1e-4);
  EXPECT_THROW(mass_near_diagonal(c, model, corpus, {.layer = 2, .measure = 1}), InputError);
}

// Whatever training smooths, and however the sentences are batched.
TEST(TranslationValidator, TheLossIsTheMeanOfTheTargetTokens) {
  const TemporaryFolder folder;
  write_file(folder.path("train"), "a b c\n");
  write_file(folder.path("source"), "a b c\nb\nc a\na a a b c\n");
  write_file(folder.path("target"), "c b a\nb b\na\nb\n");
  TextConfig words;
  words.kind = TextKind::kWords;
  DataConfig files;
  files.train = {.source = folder.path("train"), .target = folder.path("train")};
  files.dev = {.source = folder.path("source"), .target = folder.path("target")};
  const ModelText text = ModelText::build(words, open_sentences(files.train), "train");
  const TrainingData data = read_training_data(files, text);
  const int64_t size = text.target->vocabulary().size();
  TransformerConfig config;
  config.width = config.feed_forward = 16;
  config.heads = config.layers = 1;
  const Transformer model(config, size, size, 5);

  const std::vector<uint32_t> all = {0, 1, 2, 3};
  const Batch batch = make_batch(data.dev, all);
  const TokenField& target = batch.field("target");
  ASSERT_EQ(target.layout.rows(), 11);  // of 4, 3, 2 and 2, </s> counted
  Context c(1);
  const Tensor log_probs = model.log_probs(c, batch.field("source"), target);
  double expected = 0.0, of_all_words = 0.0;
  for (int64_t row = 0; row < 11; ++row) {
    const float* p = log_probs.row<float>(row);
    expected -= p[target.ids[static_cast<size_t>(row)]] / 11;
    for (int64_t word = 0; word < size; ++word) of_all_words -= p[word] / static_cast<double>(11 * size);
  }
  ASSERT_GT(std::abs(of_all_words - expected), 1e-3);  // smoothing would show
  for (const int64_t batch_tokens : {6, 4096}) {
    TrainConfig train;
    train.label_smoothing = 0.5;
    train.batch_tokens = batch_tokens;
    EXPECT_NEAR(TranslationValidator(model, text, data, train).validate(c).loss, expected,
                test::tolerance(test::Quantity::loss, DType::f32).relative * expected);
  }
}

// What the model writes is in small letters; so are the references that it is held against.
TEST(TranslationValidator, ReferencesAreInTheModelsCase) {
  const TemporaryFolder folder;
  std::string small, large;
  for (int i = 0; i < 40; ++i) {
    const char letter = static_cast<char>('a' + i % 5), next = static_cast<char>('a' + i % 3);
    small += std::string{letter, ' ', next, '\n'};
    large += std::string{static_cast<char>(letter - 'a' + 'A'), ' ', next, '\n'};
  }
  write_file(folder.path("small"), small);
  write_file(folder.path("large"), large);
  TextConfig lowercase;
  lowercase.kind = TextKind::kWords;
  lowercase.lowercase = true;
  DataConfig files;
  files.train = {.source = folder.path("large"), .target = folder.path("small")};
  const ModelText text = ModelText::build(lowercase, open_sentences(files.train), "large");
  const int64_t words = text.target->vocabulary().size();
  TransformerConfig config;
  config.width = config.feed_forward = 8;
  config.heads = config.layers = 1;
  Context c(1);
  const TrainConfig train;
  const auto metrics_for = [&](const std::string& target, uint64_t seed) {
    const Transformer model(config, text.source->vocabulary().size(), words, seed);
    files.dev = {.source = folder.path("small"), .target = folder.path(target)};
    const TrainingData data = read_training_data(files, text);
    return TranslationValidator(model, text, data, train).validate(c).metrics;
  };
  uint64_t seed = 1;  // of a model that writes a letter, by chance the right one
  while (seed < 50 && metrics_for("small", seed).at("chrf") == 0.0) ++seed;
  ASSERT_LT(seed, 50u);
  EXPECT_EQ(metrics_for("large", seed), metrics_for("small", seed));
}

}  // namespace
}  // namespace heed
