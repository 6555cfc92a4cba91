#include "heed/models/model_config.h"

namespace heed {

void ModelConfig::visit(ConfigVisitor& v) {
  v("type", type, {"transformer"}, "the architecture");
  transformer.visit(v);
}

std::unique_ptr<EncoderDecoder> make_encoder_decoder(const ModelConfig& config, int64_t source_words,
                                                     int64_t target_words, std::optional<uint64_t> seed) {
  return std::make_unique<Transformer>(config.transformer, source_words, target_words, seed);
}

}  // namespace heed
