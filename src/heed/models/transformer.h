// The Transformer (Vaswani, Shazeer, Parmar, Uszkoreit, Jones, Gomez, Kaiser, Polosukhin 2017, "Attention Is
// All You Need"), post-norm as published or pre-norm.
//
// Letters: B sentences, R rows (tokens in the batch; R_s source, R_t target), H heads, D model width, F
// feed-forward width, V vocabulary, N new rows in a decoding step.
#pragma once

#include <functional>
#include <optional>

#include "heed/base/config.h"
#include "heed/models/encoder_decoder.h"
#include "heed/models/word_weights.h"
#include "heed/nn/attention/multi_head.h"
#include "heed/nn/norm.h"
#include "heed/ops/embedding.h"

namespace heed {

enum class Positions { sinusoidal, learned, none };
enum class FeedForwardActivation { relu, squared_relu, gelu };

// The defaults are for a corpus of some ten thousand sentences and an afternoon; the paper's base model has
// width 512, 6 layers, 8 heads, feed-forward 2048.
struct TransformerConfig {
  int64_t width = 256;
  int64_t layers = 3;          // N, of both stacks, unless
  int64_t encoder_layers = 0;  // these are not 0
  int64_t decoder_layers = 0;
  int64_t heads = 4;
  int64_t feed_forward = 1024;
  double dropout = 0.1;
  double attention_dropout = 0.0;
  double activation_dropout = 0.0;
  FeedForwardActivation activation = FeedForwardActivation::relu;
  bool pre_norm = false;
  Normalisation normalisation = Normalisation::layer;
  bool scaled_attention = true;
  Positions positions = Positions::sinusoidal;
  bool rotary = false;
  int64_t convolution = 0;  // taps, in the encoder
  int64_t max_positions = 1024;
  Tying tying = Tying::all;
  bool output_bias = false;

  void visit(ConfigVisitor& v);
};

// FFN(x) = max(0, x W_1 + b_1) W_2 + b_2  (eq. 2)
class FeedForward {
 public:
  FeedForward(ParameterStore& store, const std::string& name, const TransformerConfig& config);
  Var operator()(Context& c, const Var& x, const Layout& layout) const;  // [R, D] -> [R, D]

 private:
  Linear inner_;  // D -> F
  Linear outer_;  // F -> D
  kernels::Activation activation_;
  DropoutSite dropout_;
};

// Section 3.1: self-attention, then feed-forward.
class EncoderLayer {
 public:
  EncoderLayer(ParameterStore& store, const std::string& name, const TransformerConfig& config,
               const MultiHeadOptions& attention);

  // `self` attends to the layer's own rows. x [R_s, D] -> [R_s, D]
  template <class Self>
  Var operator()(Context& c, Var x, const Layout& layout, Self&& self) const {
    x = around_self_(c, x, layout, self);
    return around_feed_forward_(c, x, layout, [&](const Var& h) { return feed_forward_(c, h, layout); });
  }
  const SelfAttention& self_attention() const { return self_; }

 private:
  SublayerConnection around_self_, around_feed_forward_;
  SelfAttention self_;
  FeedForward feed_forward_;
};

// Section 3.1: masked self-attention, attention to the memory, feed-forward.
class DecoderLayer {
 public:
  // `attention` is that to the memory; self-attention is masked besides.
  DecoderLayer(ParameterStore& store, const std::string& name, const TransformerConfig& config,
               const MultiHeadOptions& attention);

  // `self` and `cross` say how the two attentions see their keys: whole sentences in training, caches in
  // decoding. x [R, D] -> [R, D]
  template <class Self, class Cross>
  Var operator()(Context& c, Var x, const Layout& layout, Self&& self, Cross&& cross) const {
    x = around_self_(c, x, layout, self);
    x = around_cross_(c, x, layout, cross);
    return around_feed_forward_(c, x, layout, [&](const Var& h) { return feed_forward_(c, h, layout); });
  }
  const SelfAttention& self_attention() const { return self_; }
  const CrossAttention& cross_attention() const { return cross_; }

 private:
  SublayerConnection around_self_, around_cross_, around_feed_forward_;
  SelfAttention self_;
  CrossAttention cross_;
  FeedForward feed_forward_;
};

class Transformer final : public EncoderDecoder {
 public:
  // Throws InputError when the configuration does not fit together.
  Transformer(const TransformerConfig& config, int64_t source_words, int64_t target_words,
              std::optional<uint64_t> seed);

  ParameterStore& parameters() override { return store_; }
  const ParameterStore& parameters() const override { return store_; }
  OutputLoss loss(Context& c, const TokenField& source, const TokenField& target,
                  const LossOptions& options) const override;
  Tensor log_probs(Context& c, const TokenField& source, const TokenField& target) const override;
  ModelSummary summary() const override;
  std::unique_ptr<StepDecoder> step_decoder() const override;
  std::vector<AttentionWeights> attention(Context& c, const TokenField& source,
                                          const TokenField& target) const override;

  // Receives the weights of each attention, a tensor [H, T, S] a sentence, as the pass goes by.
  using Observer = std::function<void(AttentionKind kind, size_t layer, std::vector<Tensor> weights)>;

  // source -> memory [R_s, D]
  Var encode(Context& c, const TokenField& source, const Observer& observer = {}) const;
  // inputs -> what the output layer reads [R_t, D]; row r has seen the inputs up to row r
  Var decode(Context& c, const TokenField& inputs, const Var& memory, const Layout& memory_layout,
             const Observer& observer = {}, GuidedLoss* guided = nullptr) const;

 private:
  friend class TransformerStepDecoder;

  // What the decoder reads in training. Under scheduled sampling a first pass over the gold inputs makes the
  // predictions (Mihaylova & Martins 2019, "Scheduled Sampling for Transformers").
  TokenField inputs_of(Context& c, const TokenField& target, const Var& memory, const Layout& memory_layout,
                       const ScheduledSampling& sampling) const;

  TransformerConfig config_;
  ParameterStore store_;
  WordWeights words_;
  EmbeddingOptions source_options_, target_options_;
  std::vector<EncoderLayer> encoder_;
  std::vector<DecoderLayer> decoder_;
  std::optional<Norm> encoder_norm_,
      decoder_norm_;  // pre-norm normalises once more at the end of each stack
};

}  // namespace heed
