#include "heed/models/transformer_decoding.h"

#include <algorithm>

namespace heed {
namespace {

// A hypothesis keeps the list of its cache rows, so selecting copies small integers and no keys.
struct CachedHypothesis {
  std::vector<int32_t> history;  // rows of the self-attention caches, one a position
  int32_t memory_first = 0;      // the source's rows in the memory caches
  int32_t memory_length = 0;
};

class TransformerDecoderState final : public DecoderState {
 public:
  explicit TransformerDecoderState(size_t layers) : self(layers), memory(layers) {}
  int64_t rows() const override { return static_cast<int64_t>(hypotheses.size()); }

  std::vector<CachedHypothesis> hypotheses;
  Tensor outputs;                     // [N, D] what the output layer reads for each, on the heap
  std::vector<KeyValueCache> self;    // one a layer
  std::vector<KeyValueCache> memory;  // one a layer, projected once a source
  CacheCompaction compact_self, compact_memory;
};

TransformerDecoderState& as_transformer(DecoderState& state) {
  return static_cast<TransformerDecoderState&>(state);
}
const TransformerDecoderState& as_transformer(const DecoderState& state) {
  return static_cast<const TransformerDecoderState&>(state);
}

}  // namespace

int64_t TransformerStepDecoder::vocabulary_size() const {
  return model_.words_.vocabulary_size();
}

int64_t TransformerStepDecoder::longest() const {
  const Parameter* positions = model_.target_options_.positions;
  return positions != nullptr ? positions->shape().rows() : StepDecoder::longest();
}

std::unique_ptr<DecoderState> TransformerStepDecoder::make_state() const {
  return std::make_unique<TransformerDecoderState>(model_.decoder_.size());
}

void TransformerStepDecoder::start(Context& c, DecoderState& state, const TokenField& source) const {
  TransformerDecoderState& s = as_transformer(state);
  const Var memory = model_.encode(c, source);  // [R_s, D]
  int64_t first = 0;
  for (size_t i = 0; i < model_.decoder_.size(); ++i) {
    first = s.memory[i].append(model_.decoder_[i].cross_attention().project_memory(c, memory).value);
  }

  // The new rows' first step reads <s>; the rows already here keep what they have.
  TransformerDecoderState started(model_.decoder_.size());
  started.self = std::move(s.self);
  started.memory = std::move(s.memory);
  for (int64_t i = 0; i < source.layout.sentences(); ++i) {
    started.hypotheses.push_back(
        {{}, static_cast<int32_t>(first) + source.layout.begin(i), source.layout.length(i)});
  }
  append(c, started, std::vector<int32_t>(started.hypotheses.size(), kBeginToken));
  s.self = std::move(started.self);
  s.memory = std::move(started.memory);

  s.outputs = s.rows() == 0 ? started.outputs : concat_rows(s.outputs, started.outputs);
  std::move(started.hypotheses.begin(), started.hypotheses.end(), std::back_inserter(s.hypotheses));
}

void TransformerStepDecoder::append(Context& c, DecoderState& state, std::span<const int32_t> tokens) const {
  TransformerDecoderState& s = as_transformer(state);
  require(static_cast<int64_t>(tokens.size()) == s.rows(), "decoding: {} tokens for {} hypotheses",
          tokens.size(), s.rows());
  c.arena.reset();

  std::vector<int32_t> positions;
  for (const CachedHypothesis& h : s.hypotheses) positions.push_back(static_cast<int32_t>(h.history.size()));
  const TokenField inputs{{tokens.begin(), tokens.end()}, Layout::of_steps(positions)};
  // Throws on wrong tokens, before the state is changed.
  Var x = embedding(c, inputs, *model_.words_.target_embedding, model_.target_options_);  // [N, D]

  StepHistory history{{0}, {}};
  StepMemory memory{{0}, {}};
  int32_t new_row = static_cast<int32_t>(s.self.front().rows());
  for (CachedHypothesis& h : s.hypotheses) {
    h.history.push_back(new_row++);
    history.rows.insert(history.rows.end(), h.history.begin(), h.history.end());
    history.offsets.push_back(static_cast<int32_t>(history.rows.size()));
    memory.first.push_back(h.memory_first);
    memory.offsets.push_back(memory.offsets.back() + h.memory_length);
  }

  for (size_t i = 0; i < model_.decoder_.size(); ++i) {
    const DecoderLayer& layer = model_.decoder_[i];
    x = layer(
        c, x, inputs.layout,
        [&](const Var& h) { return layer.self_attention().step(c, h, inputs.layout, s.self[i], history); },
        [&](const Var& h) { return layer.cross_attention().step(c, h, s.memory[i], memory); });
  }
  if (model_.decoder_norm_) x = (*model_.decoder_norm_)(c, x);
  s.outputs = x.value.keep();
}

void TransformerStepDecoder::select(DecoderState& state, std::span<const int32_t> parents) const {
  TransformerDecoderState& s = as_transformer(state);
  std::vector<CachedHypothesis> selected;
  for (const int32_t parent : parents) selected.push_back(s.hypotheses.at(static_cast<size_t>(parent)));
  s.hypotheses = std::move(selected);
  s.outputs = s.outputs.keep_rows(parents);
  s.compact_self(s.self, [&] {
    std::vector<SeenRows> seen;
    for (CachedHypothesis& h : s.hypotheses)
      for (int32_t& row : h.history) seen.push_back({&row, 1});
    return seen;
  });
  s.compact_memory(s.memory, [&] {
    std::vector<SeenRows> seen;
    for (CachedHypothesis& h : s.hypotheses) seen.push_back({&h.memory_first, h.memory_length});
    return seen;
  });
}

Candidates TransformerStepDecoder::candidates(Context& c, const DecoderState& state, int64_t k,
                                              std::span<const float> bias) const {
  return model_.words_.candidates(c, as_transformer(state).outputs, k, bias);
}

std::vector<float> TransformerStepDecoder::log_probs(Context& c, const DecoderState& state) const {
  return model_.words_.log_probs(c, as_transformer(state).outputs);
}

std::unique_ptr<StepDecoder> Transformer::step_decoder() const {
  return std::make_unique<TransformerStepDecoder>(*this);
}

}  // namespace heed
