#include "heed/models/rnn_classifier.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "heed/base/text_util.h"
#include "heed/models/passes.h"
#include "heed/ops/rows.h"
#include "heed/ops/sigmoid_output.h"

namespace heed {
namespace {

const std::string kPoolings[] = {"attention", "last", "mean", "max"};

}  // namespace

void RnnClassifierConfig::visit(ConfigVisitor& v) {
  v("cell", cell, {"gru", "lstm"}, "the recurrent cell");
  v("embedding", embedding, "width E of embeddings", between(1, 65536));
  v("width", width, "width H of a recurrent state", between(1, 65536));
  v("layers", layers, "recurrent layers", between(1, 1000));
  v("bidirectional", bidirectional, "it reads both ways, each with width H");
  v("pooling", pooling,
    "how the states of a text become one: attention, last, mean or max; several stand side by side");
  v("attention_width", attention_width, "width of attention's scores", between(1, 65536));
  v("output", output, {"softmax", "sigmoid"}, "a number for each class, or one number for two classes");
  v("word_dropout", word_dropout, "probability that a word is read as <unk>", between(0.0, 0.99));
  v("embedding_dropout", embedding_dropout, "dropout of embeddings", between(0.0, 0.99));
  v("layer_dropout", layer_dropout, "dropout of every layer's states", between(0.0, 0.99));
  v("output_dropout", output_dropout, "dropout of what the output reads", between(0.0, 0.99));
}

std::vector<RnnClassifier::Pooling> RnnClassifier::poolings_of(const RnnClassifierConfig& config) {
  std::vector<Pooling> poolings;
  for (const std::string& name : config.pooling) {
    const auto found = std::find(std::begin(kPoolings), std::end(kPoolings), name);
    if (found == std::end(kPoolings)) {
      const auto meant = nearest(name, kPoolings);
      fail_input("model.pooling: {} found where attention, last, mean or max is expected.{}", in_quotes(name),
                 meant ? fmt::format(" Did you mean {}?", *meant) : "");
    }
    poolings.push_back(static_cast<Pooling>(found - std::begin(kPoolings)));
    if (std::count(poolings.begin(), poolings.end(), poolings.back()) > 1)
      fail_input("model.pooling: {} stands there twice", name);
  }
  if (poolings.empty()) fail_input("model.pooling: at least one of attention, last, mean, max is expected");
  return poolings;
}

RnnClassifier::RnnClassifier(const RnnClassifierConfig& config, int64_t words, int64_t classes,
                             std::optional<uint64_t> seed)
    : config_(config),
      poolings_(poolings_of(config)),
      store_(seed),
      last_dropout_(store_.dropout_site("last.dropout", config.layer_dropout)),
      word_dropout_(store_.dropout_site("word.dropout", config.word_dropout)),
      output_dropout_(store_.dropout_site("output.dropout", config.output_dropout)) {
  if (is_binary() && classes != 2)
    fail_input("model.output: a sigmoid tells two classes apart, but there are {}; set model.output: softmax",
               classes);
  const int64_t e = config.embedding, h = config.width, m = config.bidirectional ? 2 * h : h;
  embedding_ = &store_.add("embedding", {words, e}, Initial::normal(1.0 / std::sqrt(static_cast<double>(e))));
  embedding_options_.dropout = store_.dropout_site("embedding.dropout", config.embedding_dropout);
  for (int64_t i = 0; i < config.layers; ++i) {
    const std::string name = "layer." + std::to_string(i);
    layers_.emplace_back(
        store_, name,
        RecurrentLayerOptions{
            .cell = config.cell, .in = i == 0 ? e : m, .width = h, .bidirectional = config.bidirectional});
    layer_dropout_.push_back(store_.dropout_site(name + ".dropout", config.layer_dropout));
  }
  if (std::count(poolings_.begin(), poolings_.end(), Pooling::attention) > 0)
    attention_.emplace(store_, "attention", m, config.attention_width);
  const int64_t p = m * static_cast<int64_t>(poolings_.size()), outputs = is_binary() ? 1 : classes;
  output_weight_ = &store_.add("output.weight", {outputs, p}, Initial::xavier(p, outputs));
  output_bias_ = &store_.add("output.bias", {outputs}, Initial::constant(0.0));
}

RecurrentStates RnnClassifier::first_layer(Context& c, const TokenField& text) const {
  const TokenField read = drop_words(c, text, word_dropout_);
  // Dropout makes every row's embedding another; without it, a word's products are the same wherever it
  // stands.
  if (embedding_options_.dropout.in(c).probability > 0.0f) {
    const Var x = embedding(c, read, *embedding_, embedding_options_);  // [R, E]
    return layers_.front()(c, x, text.layout);
  }
  const DistinctTokens distinct = distinct_tokens(read, embedding_->shape().rows());
  const Var x = embedding(c, distinct.words, *embedding_);  // [U, E]
  return layers_.front()(c, x, text.layout, distinct.row_of);
}

RecurrentStates RnnClassifier::states(Context& c, const TokenField& text) const {
  RecurrentStates states = first_layer(c, text);
  for (size_t i = 1; i < layers_.size(); ++i)
    states = layers_[i](c, dropout(c, states.rows, layer_dropout_[i - 1], text.layout), text.layout);
  return states;  // rows [R, M]
}

Var RnnClassifier::pooled(Context& c, const RecurrentStates& states, const Layout& layout) const {
  const Layout one_row = layout.one_row_each();
  const Var h = dropout(c, states.rows, layer_dropout_.back(), layout);  // [R, M]
  std::vector<Var> parts;
  for (const Pooling pooling : poolings_) {
    switch (pooling) {
      case Pooling::attention:
        parts.push_back((*attention_)(c, h, layout));
        break;
      case Pooling::last:
        parts.push_back(dropout(c, concat_columns(c, states.last), last_dropout_, one_row));
        break;
      case Pooling::mean:
        parts.push_back(mean_rows(c, h, layout));
        break;
      case Pooling::max:
        parts.push_back(max_rows(c, h, layout));
        break;
    }
  }
  const Var text = parts.size() == 1 ? parts.front() : concat_columns(c, parts);
  return dropout(c, text, output_dropout_, one_row);
}

OutputLoss RnnClassifier::loss(Context& c, const TokenField& text, const std::vector<int32_t>& classes,
                               const LossOptions& options) const {
  const auto pass = [&] { return pooled(c, states(c, text), text.layout); };  // [B, P]
  const Var first = pass();
  if (is_binary()) {
    if (options.r_drop > 0.0)
      fail_input("train.r_drop needs a distribution over classes; set model.output: softmax");
    return sigmoid_loss(c, first, *output_weight_, *output_bias_, classes, options.smoothing);
  }
  return loss_of_passes(c, first, pass, *output_weight_, output_bias_, classes, options);
}

Tensor RnnClassifier::log_probs(Context& c, const TokenField& text) const {
  const Tensor x = pooled(c, states(c, text), text.layout).value;
  return is_binary() ? sigmoid_log_probs(c, x, *output_weight_, *output_bias_)
                     : output_log_probs(c, x, *output_weight_, output_bias_);
}

std::vector<Tensor> RnnClassifier::attention(Context& c, const TokenField& text) const {
  if (!attention_) return {};
  return attention_->weights(c, states(c, text).rows, text.layout);
}

ModelSummary RnnClassifier::summary() const {
  const auto layers = static_cast<int64_t>(layers_.size());
  return {fmt::format("{}{} classifier of {} layer{}, width {}, embedding {}, pooling by {}",
                      config_.bidirectional ? "bidirectional " : "",
                      config_.cell == kernels::Cell::gru ? "GRU" : "LSTM", layers, layers == 1 ? "" : "s",
                      config_.width, config_.embedding, joined(config_.pooling, " and ")),
          "rnn_classifier",
          {{"layers", layers}, {"width", config_.width}, {"embedding", config_.embedding}}};
}

}  // namespace heed
