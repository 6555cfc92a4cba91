#include "heed/models/model_config.h"

namespace heed {

void ModelConfig::visit(ConfigVisitor& v) {
  v("type", type, {"transformer", "rnn"}, "the architecture");
  switch (type) {
    case ModelType::transformer:
      transformer.visit(v);
      break;
    case ModelType::rnn:
      rnn.visit(v);
      break;
  }
}

std::unique_ptr<EncoderDecoder> make_encoder_decoder(const ModelConfig& config, int64_t source_words,
                                                     int64_t target_words, std::optional<uint64_t> seed) {
  if (config.type == ModelType::rnn)
    return std::make_unique<RnnSeq2Seq>(config.rnn, source_words, target_words, seed);
  return std::make_unique<Transformer>(config.transformer, source_words, target_words, seed);
}

}  // namespace heed
