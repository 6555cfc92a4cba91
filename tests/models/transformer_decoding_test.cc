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

}  // namespace
}  // namespace heed::test
