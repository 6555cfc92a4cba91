// What decoding with a Transformer alone has; what every model promises is in suite_test.cc.
#include <gtest/gtest.h>

#include "heed/models/transformer.h"
#include "tests/support/sentences.h"

namespace heed::test {
namespace {

TransformerConfig small() {
  TransformerConfig config;
  config.width = 16;
  config.heads = 4;
  config.feed_forward = 24;
  config.encoder_layers = config.decoder_layers = 2;
  config.dropout = 0.0;
  return config;
}

// Learned positions end: decoding on is refused, not read from beyond the table.
TEST(TransformerDecoding, PastTheLearnedPositionsIsRefused) {
  TransformerConfig config = small();
  config.positions = Positions::learned;
  config.max_positions = 6;
  Context c(1);
  const Transformer model(config, 12, 12, 1);
  const auto decoder = model.step_decoder();
  const auto state = decoder->make_state();
  decoder->start(c, *state, tokens({{3, 0}}));
  const std::vector<int32_t> next = {4};
  for (int step = 0; step < 5; ++step) decoder->append(c, *state, next);
  EXPECT_THROW(decoder->append(c, *state, next), InputError);
}

// Beams that all go on from the first one leave rows behind; forgetting them changes nothing of what is seen.
TEST(TransformerDecoding, ForgottenRowsAreNotMissed) {
  Context c(1);
  const Transformer model(small(), 12, 12, 1);
  const auto decoder = model.step_decoder();
  const auto decoded = [&](size_t beam) {
    const auto state = decoder->make_state();
    decoder->start(c, *state, tokens({{3, 0}, {5, 6, 0}}));
    std::vector<int32_t> parents(beam);
    for (size_t i = 0; i < beam; ++i) parents[i] = i % 2;
    for (int32_t step = 0; step < 200; ++step) {
      decoder->select(*state, parents);
      decoder->append(c, *state, std::vector<int32_t>(beam, 3 + step % 9));
    }
    decoder->select(*state, std::vector<int32_t>{0, 1});
    return decoder->log_probs(c, *state);
  };
  EXPECT_EQ(decoded(64), decoded(2));  // 12,800 rows, and 400, which are too few to be worth it
}

}  // namespace
}  // namespace heed::test
