// Which model: the `model` part of a configuration.
#pragma once

#include <memory>

#include "heed/models/encoder_decoder.h"
#include "heed/models/rnn_classifier.h"
#include "heed/models/rnn_config.h"
#include "heed/models/transformer.h"

namespace heed {

enum class ModelType { transformer, rnn, rnn_classifier };

// `type` chooses; only that type's keys are then known.
struct ModelConfig {
  ModelType type = ModelType::transformer;
  TransformerConfig transformer;
  RnnConfig rnn;
  RnnClassifierConfig rnn_classifier;

  void visit(ConfigVisitor& v);
  bool classifies() const { return type == ModelType::rnn_classifier; }
  int64_t width() const;
  bool ties_source() const;  // one weight embeds both sides, so that they must have one vocabulary
};

// Of a type that does not classify. Throws InputError when the configuration does not fit together.
std::unique_ptr<EncoderDecoder> make_encoder_decoder(const ModelConfig& config, int64_t source_words,
                                                     int64_t target_words, std::optional<uint64_t> seed);

// Of a type that classifies. Throws InputError when the configuration does not fit together.
std::unique_ptr<Classifier> make_classifier(const ModelConfig& config, int64_t words, int64_t classes,
                                            std::optional<uint64_t> seed);

}  // namespace heed
