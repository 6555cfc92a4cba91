#include "heed/models/rnn_config.h"

#include "heed/base/error.h"

namespace heed {

void RnnConfig::visit(ConfigVisitor& v) {
  v("cell", cell, {"gru", "lstm"}, "the recurrent cell");
  v("embedding", embedding, "width E of embeddings and of what the output layer reads", between(1, 65536));
  v("width", width, "width H of a recurrent state", between(1, 65536));
  v("layers", layers, "layers of the encoder and of the decoder", between(1, 1000));
  v("encoder_layers", encoder_layers, "layers of the encoder; 0: as layers", between(0, 1000));
  v("decoder_layers", decoder_layers, "layers of the decoder; 0: as layers", between(0, 1000));
  v("bidirectional", bidirectional, "the encoder reads both ways, each with width H");
  v("residual", residual, "from the second layer on, a layer's input is added to its output");
  v("layer_norm", layer_norm,
    "LayerNorm (Ba et al. 2016) of what each layer hands on, after the residual; the states that a layer "
    "carries from step to step, and of the decoder's first layer the query, stay as they are");
  v("attention", attention, {"none", "dot", "scaled_dot", "bilinear", "additive"},
    "how the decoder scores source positions; none: it knows the encoder's last state only; dot and "
    "scaled_dot need bidirectional: false");
  v("attend", attend, {"before", "conditional", "after"},
    "when in a step: with the state before it (Bahdanau 2015), between its two cells (conditional GRU), or "
    "with the state after it (Luong 2015)");
  v("input_feeding", input_feeding, "attend: after only: a step reads what the one before it attended to");
  v("monotonic", monotonic,
    "attention goes forward only, a word at a time (Raffel et al. 2017): for tasks in order; needs an "
    "attention with window: global");
  v("monotonic_noise", monotonic_noise,
    "standard deviation of what training adds to monotonic attention's energies, so that choices become sure",
    between(0.0, 100.0));
  v("attention_width", attention_width, "width of additive scores; 0: as width", between(0, 65536));
  v("project_values", project_values,
    "attention sums a projection of what the encoder gives, learnt for it, so that keys and values are "
    "apart; else what the encoder gives");
  v("window", window, {"global", "local_m", "local_p"},
    "attend: after only: all of the source is seen, or a window around the same position or around a "
    "predicted one (Luong et al. 2015, section 3.2)");
  v("window_reach", window_reach, "D: a local window's keys are at most so far from its centre",
    between(1, 65536));
  v("embedding_dropout", embedding_dropout, "dropout of both embeddings", between(0.0, 0.99));
  v("layer_dropout", layer_dropout,
    "dropout of what a layer reads of the one below it, in encoder and decoder; residual adds all of it",
    between(0.0, 0.99));
  v("context_dropout", context_dropout,
    "dropout of what the decoder gets of the encoder: its output, or without attention its last states",
    between(0.0, 0.99));
  v("output_dropout", output_dropout, "dropout of what the output layer reads", between(0.0, 0.99));
  v("output_reads_embedding", output_reads_embedding, "the word before takes part in the output as well");
  v("tying", tying, {"all", "target", "none"},
    "one weight for source embedding, target embedding and output; for the last two; or none");
  v("output_bias", output_bias, "a bias on the output layer");
}

void RnnConfig::check(int64_t source_words, int64_t target_words) const {
  require_one_vocabulary(tying, source_words, target_words);
  const bool dot = attention == RnnAttention::dot || attention == RnnAttention::scaled_dot;
  if (dot && bidirectional) {
    fail_input(
        "model.attention: a dot product needs states and memory of one width, but an encoder that reads "
        "both ways has {} for {}; set model.bidirectional: false, or model.attention: bilinear",
        2 * width, width);
  }
  if (input_feeding && (attention == RnnAttention::none || attend != AttendWhen::after)) {
    fail_input("model.input_feeding needs an attention with model.attend: after");
  }
  if (window != Window::global && (attention == RnnAttention::none || attend != AttendWhen::after)) {
    fail_input("model.window other than global needs an attention with model.attend: after");
  }
  if (monotonic && (attention == RnnAttention::none || window != Window::global)) {
    fail_input(
        "model.monotonic needs an attention with model.window: global, as every key from the last one "
        "on can be chosen");
  }
}

}  // namespace heed
