// Which model: the `model` part of a configuration.
#pragma once

#include <memory>

#include "heed/models/encoder_decoder.h"
#include "heed/models/rnn_seq2seq.h"
#include "heed/models/transformer.h"

namespace heed {

enum class ModelType { transformer, rnn };

// `type` chooses; only that type's keys are then known.
struct ModelConfig {
  ModelType type = ModelType::transformer;
  TransformerConfig transformer;
  RnnConfig rnn;

  void visit(ConfigVisitor& v);
  int64_t width() const { return type == ModelType::rnn ? rnn.width : transformer.width; }
};

// Throws InputError when the configuration does not fit together.
std::unique_ptr<EncoderDecoder> make_encoder_decoder(const ModelConfig& config, int64_t source_words,
                                                     int64_t target_words, std::optional<uint64_t> seed);

}  // namespace heed
