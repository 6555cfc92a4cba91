#include "heed/models/transformer.h"

#include <gtest/gtest.h>

#include <cmath>

#include "heed/models/transformer_decoding.h"

namespace heed {
namespace {

TransformerConfig small() {
  TransformerConfig config;
  config.width = 16;
  config.heads = 4;
  config.feed_forward = 24;
  config.layers = 2;
  config.dropout = 0.0;
  return config;
}

TokenField tokens(const std::vector<std::vector<int32_t>>& sentences) {
  TokenField field;
  std::vector<int32_t> lengths;
  for (const auto& sentence : sentences) {
    field.ids.insert(field.ids.end(), sentence.begin(), sentence.end());
    lengths.push_back(static_cast<int32_t>(sentence.size()));
  }
  field.layout = Layout::of_lengths(lengths);
  return field;
}

const std::vector<std::vector<int32_t>> kSources = {{3, 4, 5, 0}, {6, 0}, {7, 8, 9, 10, 11, 0}};
const std::vector<std::vector<int32_t>> kTargets = {{5, 4, 0}, {6, 9, 10, 3, 0}, {11, 0}};

TEST(Transformer, LearnsAFewPairsByHeart) {
  Context c(2);
  const Transformer model(small(), 12, 12, 1);
  const TokenField source = tokens(kSources), target = tokens(kTargets);
  float first = 0, last = 0;
  for (int update = 0; update < 60; ++update) {
    Tape tape;
    const Recording recording(c, tape);
    const OutputLoss loss = model.loss(c, source, target, 0.0);
    (update == 0 ? first : last) = loss.sum.value.item();
    tape.backward(c, loss.sum);
    for (const auto& parameter : model.parameters().all()) {
      const Tensor gradient = parameter->gradient().take();
      if (!gradient) continue;
      for (int64_t i = 0; i < gradient.size(); ++i) {
        parameter->value().data<float>()[i] -= 0.02f * gradient.data<float>()[i];
      }
      parameter->changed();
    }
    c.arena.reset();
  }
  EXPECT_LT(last, 0.1f * first);
}

// Decoding token by token gives the log-probabilities of the whole sequence, to rounding.
TEST(Transformer, StepEqualsSequence) {
  for (const bool pre_norm : {false, true}) {
    TransformerConfig config = small();
    config.pre_norm = pre_norm;
    Context c(2);
    const Transformer model(config, 12, 12, 1);
    const TokenField source = tokens(kSources), target = tokens(kTargets);
    const Tensor whole = model.log_probs(c, source, target).keep();

    const auto decoder = model.step_decoder();
    const auto state = decoder->make_state();
    decoder->start(c, *state, source);
    for (int32_t t = 0; t < target.layout.longest(); ++t) {
      const std::vector<float> step = decoder->log_probs(c, *state);
      std::vector<int32_t> next(kSources.size(), 0);
      for (size_t i = 0; i < kSources.size(); ++i) {
        if (t >= target.layout.length(static_cast<int64_t>(i))) continue;
        const int64_t row = target.layout.begin(static_cast<int64_t>(i)) + t;
        for (int64_t w = 0; w < 12; ++w) ASSERT_NEAR(step[i * 12 + w], whole.row<float>(row)[w], 2e-5f);
        next[i] = target.ids[row];
      }
      decoder->append(c, *state, next);
    }
  }
}

}  // namespace
}  // namespace heed
