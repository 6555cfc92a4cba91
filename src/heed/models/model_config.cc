#include "heed/models/model_config.h"

#include "heed/models/rnn_seq2seq.h"

namespace heed {

void ModelConfig::visit(ConfigVisitor& v) {
  v("type", type, {"transformer", "rnn", "rnn_classifier"}, "the architecture");
  switch (type) {
    case ModelType::transformer:
      transformer.visit(v);
      break;
    case ModelType::rnn:
      rnn.visit(v);
      break;
    case ModelType::rnn_classifier:
      rnn_classifier.visit(v);
      break;
  }
}

int64_t ModelConfig::width() const {
  if (type == ModelType::rnn) return rnn.width;
  return type == ModelType::rnn_classifier ? rnn_classifier.width : transformer.width;
}

bool ModelConfig::ties_source() const {
  if (classifies()) return false;
  return (type == ModelType::rnn ? rnn.tying : transformer.tying) == Tying::all;
}

std::unique_ptr<EncoderDecoder> make_encoder_decoder(const ModelConfig& config, int64_t source_words,
                                                     int64_t target_words, std::optional<uint64_t> seed) {
  require(!config.classifies(), "a classifier is no encoder-decoder");
  if (config.type == ModelType::rnn)
    return std::make_unique<RnnSeq2Seq>(config.rnn, source_words, target_words, seed);
  return std::make_unique<Transformer>(config.transformer, source_words, target_words, seed);
}

std::unique_ptr<Classifier> make_classifier(const ModelConfig& config, int64_t words, int64_t classes,
                                            std::optional<uint64_t> seed) {
  require(config.classifies(), "an encoder-decoder is no classifier");
  return std::make_unique<RnnClassifier>(config.rnn_classifier, words, classes, seed);
}

}  // namespace heed
