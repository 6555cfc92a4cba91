#include "heed/models/transformer.h"

#include <fmt/format.h>

#include <cmath>

#include "heed/models/passes.h"
#include "heed/ops/output.h"
#include "heed/ops/rows.h"

namespace heed {

void TransformerConfig::visit(ConfigVisitor& v) {
  v("width", width, "model width D", between(1, 65536));
  v("layers", layers, "layers N of the encoder and of the decoder", between(1, 1000));
  v("encoder_layers", encoder_layers, "layers of the encoder; 0: as layers", between(0, 1000));
  v("decoder_layers", decoder_layers, "layers of the decoder; 0: as layers", between(0, 1000));
  v("heads", heads, "attention heads H; they divide the width", between(1, 1024));
  v("feed_forward", feed_forward, "width F inside the feed-forward layer", between(1, 1 << 20));
  v("dropout", dropout, "dropout of embeddings and of every sub-layer's output", between(0.0, 0.99));
  v("attention_dropout", attention_dropout, "dropout of attention weights", between(0.0, 0.99));
  v("activation_dropout", activation_dropout, "dropout inside the feed-forward layer", between(0.0, 0.99));
  v("activation", activation, {"relu", "squared_relu", "gelu"},
    "function inside the feed-forward layer; squared_relu is that of So et al. 2021");
  v("pre_norm", pre_norm, "normalisation before each sub-layer instead of after it");
  v("normalisation", normalisation, {"layer", "batch"},
    "over the width of each token (LayerNorm), or over all tokens of the batch (BatchNorm), with running "
    "statistics once training is over");
  v("scaled_attention", scaled_attention, "divide attention scores by sqrt(head width)");
  v("positions", positions, {"sinusoidal", "learned", "none"}, "how positions enter the embeddings");
  v("rotary", rotary,
    "turn the queries and keys of self-attention by their positions, so that scores know distances (Su et "
    "al. 2021)");
  v("convolution", convolution,
    "positions over which each column of the encoder's queries, keys and values is mixed, an odd number (the "
    "depthwise convolution of So et al. 2021, centred); 0: none",
    between(0, 63));
  v("max_positions", max_positions, "the longest sentence learned positions know, in tokens",
    between(1, 1 << 20));
  v("tying", tying, {"all", "target", "none"},
    "one weight for source embedding, target embedding and output; for the last two; or none");
  v("output_bias", output_bias, "a bias on the output layer");
}

namespace {

// Throws InputError when the configuration does not fit together.
MultiHeadOptions attention_options(const TransformerConfig& config) {
  if (config.width % config.heads != 0) {
    fail_input("model.width {} does not divide into model.heads {}; choose a multiple", config.width,
               config.heads);
  }
  MultiHeadOptions options{.width = config.width,
                           .heads = config.heads,
                           .scaled = config.scaled_attention,
                           .dropout = config.attention_dropout,
                           .convolution = config.convolution};
  if (config.convolution > 0 && config.convolution % 2 == 0) {
    fail_input("model.convolution {} has no middle; choose {} or {}", config.convolution,
               config.convolution - 1, config.convolution + 1);
  }
  if (config.rotary) {
    const int64_t head_width = config.width / config.heads;
    if (head_width % 2 != 0) {
      fail_input(
          "model.rotary turns columns two by two, but model.width {} in model.heads {} makes heads of {}; "
          "choose an even one",
          config.width, config.heads, head_width);
    }
    options.rotary = std::make_shared<SinusoidalPositions>(head_width, SinusoidalPositions::Order::halves);
  }
  return options;
}

MultiHeadOptions masked(MultiHeadOptions options) {
  options.causal = true;
  options.convolution = 0;  // it sees what comes after
  return options;
}

ConnectionOptions connection_options(const TransformerConfig& config) {
  return {.width = config.width,
          .pre_norm = config.pre_norm,
          .normalisation = config.normalisation,
          .dropout = config.dropout};
}

kernels::Activation kernel_of(FeedForwardActivation activation) {
  switch (activation) {
    case FeedForwardActivation::relu:
      return kernels::Activation::relu;
    case FeedForwardActivation::squared_relu:
      return kernels::Activation::squared_relu;
    case FeedForwardActivation::gelu:
      return kernels::Activation::gelu;
  }
  return kernels::Activation::none;
}

// Smaller than Xavier's, of the inner weight while F < 5D: in a post-norm stack of many layers the residual
// path must lead at first.
LinearOptions starting_small(int64_t fan_in) {
  return {.initial = Initial::uniform(1.0 / std::sqrt(static_cast<double>(fan_in)))};
}

}  // namespace

FeedForward::FeedForward(ParameterStore& store, const std::string& name, const TransformerConfig& config)
    : inner_(store, name + ".inner", config.width, config.feed_forward, starting_small(config.width)),
      outer_(store, name + ".outer", config.feed_forward, config.width, starting_small(config.feed_forward)),
      activation_(kernel_of(config.activation)),
      dropout_(store.dropout_site(name + ".activation_dropout", config.activation_dropout)) {}

Var FeedForward::operator()(Context& c, const Var& x, const Layout& layout) const {
  const Var inner = dropout(c, inner_(c, x, activation_), dropout_, layout);  // [R, F]
  return outer_(c, inner);                                                    // [R, D]
}

EncoderLayer::EncoderLayer(ParameterStore& store, const std::string& name, const TransformerConfig& config,
                           const MultiHeadOptions& attention)
    : around_self_(store, name + ".self", connection_options(config)),
      around_feed_forward_(store, name + ".feed_forward", connection_options(config)),
      self_(store, name + ".self", attention),
      feed_forward_(store, name + ".feed_forward", config) {}

DecoderLayer::DecoderLayer(ParameterStore& store, const std::string& name, const TransformerConfig& config,
                           const MultiHeadOptions& attention)
    : around_self_(store, name + ".self", connection_options(config)),
      around_cross_(store, name + ".cross", connection_options(config)),
      around_feed_forward_(store, name + ".feed_forward", connection_options(config)),
      self_(store, name + ".self", masked(attention)),
      cross_(store, name + ".cross", attention),
      feed_forward_(store, name + ".feed_forward", config) {}

Transformer::Transformer(const TransformerConfig& config, int64_t source_words, int64_t target_words,
                         std::optional<uint64_t> seed)
    : config_(config), store_(seed) {
  const int64_t width = config.width;
  const MultiHeadOptions attention = attention_options(config);
  require_one_vocabulary(config.tying, source_words, target_words);

  // Section 3.4: one weight for both embeddings and the output, unless told otherwise.
  words_ = WordWeights(store_, {.tying = config.tying,
                                .output_bias = config.output_bias,
                                .width = width,
                                .source_words = source_words,
                                .target_words = target_words});
  source_options_.scale = target_options_.scale = std::sqrt(static_cast<float>(width));
  source_options_.dropout = store_.dropout_site("source.embedding.dropout", config.dropout);
  target_options_.dropout = store_.dropout_site("target.embedding.dropout", config.dropout);
  if (config.positions == Positions::learned) {
    const Initial initial = Initial::normal(1.0 / std::sqrt(static_cast<double>(width)));
    source_options_.positions = &store_.add("source.positions", {config.max_positions, width}, initial);
    target_options_.positions = &store_.add("target.positions", {config.max_positions, width}, initial);
  } else if (config.positions == Positions::sinusoidal) {
    source_options_.sinusoids = target_options_.sinusoids = std::make_shared<SinusoidalPositions>(width);
  }

  for (int64_t i = 0; i < layers_of(config.encoder_layers, config.layers); ++i) {
    encoder_.emplace_back(store_, "encoder." + std::to_string(i), config, attention);
  }
  for (int64_t i = 0; i < layers_of(config.decoder_layers, config.layers); ++i) {
    decoder_.emplace_back(store_, "decoder." + std::to_string(i), config, attention);
  }
  if (config.pre_norm) {
    encoder_norm_.emplace(store_, "encoder.norm", width, config.normalisation);
    decoder_norm_.emplace(store_, "decoder.norm", width, config.normalisation);
  }
}

Var Transformer::encode(Context& c, const TokenField& source, const Observer& observer) const {
  const Layout& layout = source.layout;
  Var x = embedding(c, source, *words_.source_embedding, source_options_);  // [R_s, D]
  for (size_t i = 0; i < encoder_.size(); ++i) {
    const SelfAttention& self = encoder_[i].self_attention();
    x = encoder_[i](c, x, layout, [&](const Var& h) {
      if (observer) observer(AttentionKind::encoder, i, self.weights(c, h, layout));
      return self(c, h, layout);
    });
  }
  return encoder_norm_ ? (*encoder_norm_)(c, x) : x;
}

Var Transformer::decode(Context& c, const TokenField& inputs, const Var& memory, const Layout& memory_layout,
                        const Observer& observer, GuidedLoss* guided) const {
  const Layout& layout = inputs.layout;
  Var x = embedding(c, inputs, *words_.target_embedding, target_options_);  // [R_t, D]
  for (size_t i = 0; i < decoder_.size(); ++i) {
    const SelfAttention& self = decoder_[i].self_attention();
    const CrossAttention& cross = decoder_[i].cross_attention();
    x = decoder_[i](
        c, x, layout,
        [&](const Var& h) {
          if (observer) observer(AttentionKind::decoder, i, self.weights(c, h, layout));
          return self(c, h, layout);
        },
        [&](const Var& h) {
          if (observer) {
            observer(AttentionKind::source, i, cross.weights(c, h, layout, memory, memory_layout));
          }
          const bool guides = guided != nullptr && guided->guides(static_cast<int64_t>(i));
          return cross(c, h, layout, memory, memory_layout, guides ? guided : nullptr);
        });
  }
  return decoder_norm_ ? (*decoder_norm_)(c, x) : x;
}

OutputLoss Transformer::loss(Context& c, const TokenField& source, const TokenField& target,
                             const LossOptions& options) const {
  GuidedLoss guided(options.guided_attention, target.layout, static_cast<int64_t>(decoder_.size()));
  const Var memory = encode(c, source);
  const TokenField inputs = inputs_of(c, target, memory, source.layout, options.scheduled_sampling);
  const auto states = [&](const Var& m) { return decode(c, inputs, m, source.layout, {}, &guided); };
  OutputLoss loss = loss_of_passes(
      c, states(memory), [&] { return states(encode(c, source)); }, *words_.output_weight, words_.output_bias,
      target.ids, options);
  loss.sum = guided.added_to(c, loss.sum);
  return loss;
}

TokenField Transformer::inputs_of(Context& c, const TokenField& target, const Var& memory,
                                  const Layout& memory_layout, const ScheduledSampling& sampling) const {
  TokenField inputs = shifted_right(target);
  if (sampling.teacher_forcing >= 1.0) return inputs;
  const InputChoice choice(c, sampling, target.layout);
  std::vector<int32_t> replaced, before;
  for (int32_t row = 0; row < target.layout.rows(); ++row) {
    if (!choice.is_predicted(row)) continue;
    replaced.push_back(row);
    before.push_back(row - 1);
  }
  if (replaced.empty()) return inputs;
  const AsInDecoding first_pass(c);
  const Var states = gather_rows(c, {decode(c, inputs, memory, memory_layout)}, before);  // [N, D]
  const std::vector<int32_t> words =
      choice.predict(c, states.value, before, *words_.output_weight, words_.output_bias);
  for (size_t i = 0; i < words.size(); ++i) inputs.ids[static_cast<size_t>(replaced[i])] = words[i];
  return inputs;
}

ModelSummary Transformer::summary() const {
  const auto encoder = static_cast<int64_t>(encoder_.size()), decoder = static_cast<int64_t>(decoder_.size());
  return {
      fmt::format("transformer {}+{}, width {}, {} heads", encoder, decoder, config_.width, config_.heads),
      "transformer",
      {{"encoder_layers", encoder},
       {"decoder_layers", decoder},
       {"width", config_.width},
       {"heads", config_.heads}}};
}

Tensor Transformer::log_probs(Context& c, const TokenField& source, const TokenField& target) const {
  const Var states = decode(c, shifted_right(target), encode(c, source), source.layout);
  return output_log_probs(c, states.value, *words_.output_weight, words_.output_bias);  // [R_t, V]
}

std::vector<AttentionWeights> Transformer::attention(Context& c, const TokenField& source,
                                                     const TokenField& target) const {
  require(source.layout.sentences() == 1, "attention is shown for one sentence at a time, not {}",
          source.layout.sentences());
  std::vector<AttentionWeights> seen;
  const Observer observer = [&](AttentionKind kind, size_t layer, std::vector<Tensor> weights) {
    seen.push_back({kind, static_cast<int64_t>(layer), std::move(weights.front())});
  };
  const Var memory = encode(c, source, observer);
  decode(c, shifted_right(target), memory, source.layout, observer);
  return seen;
}

}  // namespace heed
