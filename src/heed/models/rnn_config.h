// What a recurrent encoder-decoder can be. Letters as in rnn_seq2seq.h.
#pragma once

#include <cstdint>

#include "heed/base/config.h"
#include "heed/kernels/recurrent.h"
#include "heed/models/word_weights.h"
#include "heed/nn/attention/source_attention.h"

namespace heed {

enum class RnnAttention { none, dot, scaled_dot, bilinear, additive };

// Where in a step the decoder attends.
enum class AttendWhen {
  before,       // c_t = attend(h_{t-1}), then h_t = f(h_{t-1}, [y_t; c_t])              Bahdanau et al. 2015
  conditional,  // h'_t = f_1(h_{t-1}, y_t), c_t = attend(h'_t), h_t = f_2(h'_t, c_t)    conditional GRU
  after         // h_t = f(h_{t-1}, y_t), then c_t = attend(h_t)                         Luong et al. 2015
};

struct RnnConfig {
  kernels::Cell cell = kernels::Cell::gru;
  int64_t embedding = 256;     // E
  int64_t width = 512;         // H
  int64_t layers = 1;          // of encoder and decoder, unless
  int64_t encoder_layers = 0;  // these are not 0
  int64_t decoder_layers = 0;
  bool bidirectional = true;
  bool residual = false;
  bool layer_norm = false;
  RnnAttention attention = RnnAttention::additive;
  AttendWhen attend = AttendWhen::conditional;
  bool input_feeding = false;
  bool monotonic = false;
  double monotonic_noise = 1.0;
  int64_t attention_width = 0;  // of additive scores; 0: H
  bool project_values = false;
  Window window = Window::global;
  int64_t window_reach = 10;  // D
  double embedding_dropout = 0.0;
  double layer_dropout = 0.0;
  double context_dropout = 0.0;
  double output_dropout = 0.0;
  bool output_reads_embedding = true;
  Tying tying = Tying::target;
  bool output_bias = false;

  void visit(ConfigVisitor& v);
  // Throws InputError when these do not fit together, or vocabularies of these sizes do not fit them.
  void check(int64_t source_words, int64_t target_words) const;
};

}  // namespace heed
