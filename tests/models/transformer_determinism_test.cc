// The same bytes for the same sentence: alone, in any batch, in any order, with any number of threads, at
// each processor level, in f32 and bf16. All memory that nobody wrote is NaN.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "heed/models/transformer.h"
#include "tests/support/levels.h"
#include "tests/support/sentences.h"

namespace heed::test {
namespace {

constexpr int32_t kWords = 90;

// Wide enough that products are cut into several pieces.
TransformerConfig config_of(bool pre_norm) {
  TransformerConfig config;
  config.width = 48;
  config.heads = 3;
  config.feed_forward = 80;
  config.encoder_layers = config.decoder_layers = 2;
  config.dropout = config.attention_dropout = config.activation_dropout = 0.2;
  config.pre_norm = pre_norm;
  return config;
}

template <class F>
void at_each_level_and_precision(F&& f) {
  on_each_level([&] {
    for (const DType precision : {DType::f32, DType::bf16}) {
      SCOPED_TRACE(name_of(precision));
      f(precision);
    }
  });
}

// The bytes of each sentence's log-probabilities.
std::vector<std::string> log_probs(int threads, DType precision, const Transformer& model,
                                   const Sentences& sources, const Sentences& targets) {
  Context c(threads, precision);
  c.arena.fill_with_nan(true);
  const TokenField source = tokens(sources), target = tokens(targets);
  const Tensor all = model.log_probs(c, source, target);
  std::vector<std::string> sentences;
  for (int64_t i = 0; i < target.layout.sentences(); ++i) {
    const auto* begin = reinterpret_cast<const char*>(all.row<float>(target.layout.begin(i)));
    sentences.emplace_back(begin, static_cast<size_t>(target.layout.length(i)) * kWords * sizeof(float));
    EXPECT_TRUE(std::all_of(all.row<float>(target.layout.begin(i)), all.row<float>(target.layout.end(i)),
                            [](float x) { return x <= 0.0f; }));
  }
  return sentences;
}

TEST(TransformerDeterminism, ASentenceHasTheSameBytesInAnyCompany) {
  const std::vector<int32_t> source_lengths = {7, 1, 30, 2, 12, 64, 3},
                             target_lengths = {5, 9, 1, 33, 16, 2, 65};
  const Sentences sources = random_sentences(source_lengths, kWords, 1);
  const Sentences targets = random_sentences(target_lengths, kWords, 2);
  for (const bool pre_norm : {false, true}) {
    const Transformer model(config_of(pre_norm), kWords, kWords, 1);
    at_each_level_and_precision([&](DType precision) {
      std::vector<std::string> alone;
      for (size_t i = 0; i < sources.size(); ++i) {
        alone.push_back(log_probs(1, precision, model, {sources[i]}, {targets[i]}).front());
      }
      // Batches of rotated order and growing size, with different numbers of threads.
      const int threads[] = {1, 2, 3, 7};
      for (size_t size = 2; size <= sources.size(); ++size) {
        Sentences some_sources, some_targets;
        std::vector<size_t> chosen;
        for (size_t i = 0; i < size; ++i) {
          chosen.push_back((i * 3 + size) % sources.size());
          some_sources.push_back(sources[chosen.back()]);
          some_targets.push_back(targets[chosen.back()]);
        }
        const auto together = log_probs(threads[size % 4], precision, model, some_sources, some_targets);
        for (size_t i = 0; i < size; ++i) {
          ASSERT_TRUE(together[i] == alone[chosen[i]])
              << "sentence " << chosen[i] << " in a batch of " << size;
        }
      }
    });
  }
}

// The bytes of the loss and of every gradient, with dropout.
std::string training_bytes(int threads, DType precision, Transformer& model, const TokenField& source,
                           const TokenField& target) {
  Context c(threads, precision);
  c.arena.fill_with_nan(true);
  c.training = true;
  c.random_key = 5;
  Tape tape;
  const Recording recording(c, tape);
  const OutputLoss loss = model.loss(c, source, target, 0.1);
  tape.backward(c, loss.sum);
  std::string bytes(reinterpret_cast<const char*>(loss.row_loss.data<float>()),
                    static_cast<size_t>(loss.row_loss.size()) * sizeof(float));
  for (const auto& parameter : model.parameters().all()) {
    const Tensor gradient = parameter->gradient().take();
    bytes.append(reinterpret_cast<const char*>(gradient.data<float>()),
                 static_cast<size_t>(gradient.size()) * sizeof(float));
    EXPECT_TRUE(std::none_of(gradient.data<float>(), gradient.data<float>() + gradient.size(), [](float x) {
      return std::isnan(x);
    })) << parameter->name();
  }
  return bytes;
}

// Rows enough for several chunks of weight gradients.
TEST(TransformerDeterminism, GradientsHaveTheSameBytesWithAnyNumberOfThreads) {
  std::vector<int32_t> lengths(60);
  for (size_t i = 0; i < lengths.size(); ++i) lengths[i] = 1 + static_cast<int32_t>(i * 7 % 23);
  const TokenField source = tokens(random_sentences(lengths, kWords, 3));
  std::reverse(lengths.begin(), lengths.end());
  const TokenField target = tokens(random_sentences(lengths, kWords, 4));
  ASSERT_GT(target.layout.rows(), 512);
  Transformer model(config_of(false), kWords, kWords, 1);
  at_each_level_and_precision([&](DType precision) {
    const std::string one = training_bytes(1, precision, model, source, target);
    for (const int threads : {2, 3, 7}) {
      ASSERT_TRUE(training_bytes(threads, precision, model, source, target) == one) << threads << " threads";
    }
  });
}

}  // namespace
}  // namespace heed::test
