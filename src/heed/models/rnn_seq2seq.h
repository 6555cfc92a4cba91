// Recurrent encoder-decoders: the plain one (Sutskever et al. 2014; Cho et al. 2014), Bahdanau, Cho & Bengio
// 2015 ("Neural Machine Translation by Jointly Learning to Align and Translate"), its conditional GRU (Firat
// & Cho 2016; Sennrich et al. 2017), and Luong, Pham & Manning 2015 ("Effective Approaches to Attention-based
// Neural Machine Translation").
//
// Letters: B sentences, R rows (tokens in the batch; R_s source, R_t target), E embedding width, H width of a
// state, M memory width (H, or 2H of an encoder that reads both ways), G gates (GRU 3, LSTM 4), V vocabulary,
// N rows of a decoding step.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "heed/models/encoder_decoder.h"
#include "heed/models/rnn_config.h"
#include "heed/models/word_weights.h"
#include "heed/nn/attention/source_attention.h"
#include "heed/nn/norm.h"
#include "heed/nn/recurrent.h"
#include "heed/ops/embedding.h"

namespace heed {

// What the decoder carries from one step to the next, and the query that its first layer asks attention with.
struct RnnState {
  std::vector<Var> hidden;  // of each layer [B, H]
  std::vector<Var> cell;    // of each layer [B, H], of an LSTM
  Var query;                // [B, H] h_{t-1} of the first layer in the activations' type
  Var fed;                  // [B, E] the last attentional vector, with input feeding

  // f of each of them, beside its counterpart in `others`, which have them all too.
  template <class F, class... States>
  void for_each(F&& f, States&... others) {
    for (size_t i = 0; i < hidden.size(); ++i) f(hidden[i], others.hidden[i]...);
    for (size_t i = 0; i < cell.size(); ++i) f(cell[i], others.cell[i]...);
    f(query, others.query...);
    if (fed) f(fed, others.fed...);
  }
};

class RnnSeq2Seq final : public EncoderDecoder {
 public:
  // Throws InputError when the configuration does not fit together.
  RnnSeq2Seq(const RnnConfig& config, int64_t source_words, int64_t target_words,
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

 private:
  friend class RnnStepDecoder;

  struct Encoded {
    SourceAttention::Memory memory;  // empty without attention
    RnnState start;                  // of the decoder
  };
  // What a step of the decoder gives to the output layer.
  struct StepOutputs {
    Var states;    // [N, H]
    Var contexts;  // [N, M], empty without attention
  };
  // Contexts [N, M] for queries [N, H].
  using Attend = std::function<Var(const Var& queries)>;
  // The same for some of the target's rows: all of them, or those of a step, which `in_batch` then names.
  using AttendRows =
      std::function<Var(const Var& queries, const Layout& rows, std::span<const int32_t> in_batch)>;

  bool attends() const { return attention_.has_value(); }
  bool attends(AttendWhen when) const { return attends() && config_.attend == when; }
  // Whether a step needs what the one before it attended to, so that steps wait for each other.
  bool goes_by_steps() const {
    return attends() && (config_.attend != AttendWhen::after || config_.input_feeding);
  }

  Encoded encode(Context& c, const TokenField& source) const;
  RnnState start(Context& c, const Var& summary) const;
  // The pass of one of the decoder's cells over these rows, from `state` and moving it on.
  Var recur(Context& c, const Recurrent& cell, const Var& gates, size_t layer, const Layout& layout,
            RnnState& state) const;
  // The layers above the first, over its states x [N, H], with what stands between layers.
  Var upper_layers(Context& c, Var x, const Layout& layout, RnnState& state) const;
  // The recurrences of some rows; `layout` says how they follow each other (each its own sentence: one step),
  // gates [N, GH] are the first recurrence's input products. `state` moves on.
  StepOutputs advance(Context& c, const Var& gates, const Layout& layout, RnnState& state,
                      const Attend& attend) const;
  // The attentional vector h~_t = tanh(W [h_t; c_t; y_t])  [N, E] (Luong et al. 2015, eq. 5; y_t: deep
  // output, Pascanu et al. 2014)
  Var attentional(Context& c, const StepOutputs& outputs, const Var& y) const;

  // All rows of the target at once, with additive attention before or between the first layer's cells.
  bool is_one_op() const {
    return config_.attention == RnnAttention::additive && !config_.monotonic &&
           config_.attend != AttendWhen::after;
  }
  StepOutputs advance_at_once(Context& c, const Var& gates, const Layout& layout,
                              const Encoded& encoded) const;
  // What the output layer reads for every row of the decoder's inputs [R_t, E]. `other`, if any, is asked
  // in place of the attention to the source.
  Var decode(Context& c, const TokenField& inputs, const Encoded& encoded,
             const AttendRows& other = {}) const;
  Var decode_by_steps(Context& c, const Var& y, const Layout& layout, RnnState state,
                      const AttendRows& attend) const;
  // What the decoder reads in training. Under scheduled sampling it goes from step to step, each reading the
  // gold token or what the step before predicted.
  TokenField inputs_of(Context& c, const TokenField& target, const Encoded& encoded,
                       const ScheduledSampling& sampling) const;

  RnnConfig config_;
  ParameterStore store_;
  WordWeights words_;
  EmbeddingOptions source_options_, target_options_;
  std::vector<RecurrentLayer> encoder_;
  std::vector<Linear> start_hidden_, start_cell_;
  std::vector<Recurrent> decoder_;                   // a layer each
  std::vector<Norm> encoder_norms_, decoder_norms_;  // a layer each, or none
  std::optional<Recurrent> conditional_;
  std::optional<Linear> context_input_, feed_;
  std::optional<SourceAttention> attention_;
  std::optional<Linear> head_;
  std::vector<DropoutSite> encoder_dropout_, decoder_dropout_;  // between layers
  DropoutSite context_dropout_, output_dropout_;
};

}  // namespace heed
