#include "heed/models/rnn_decoding.h"

namespace heed {
namespace {

// The numbers of a hypothesis; its vectors are a row of the state's tensors.
struct RecurrentHypothesis {
  int32_t memory_first = 0;  // the source's rows in the memory's cache
  int32_t memory_length = 0;
  int32_t position = 0;  // next to be written
  int32_t attended = 0;  // the key that monotonic attention goes on from
};

// Everything of it is on the heap: decoding resets step memory.
class RecurrentDecoderState final : public DecoderState {
 public:
  int64_t rows() const override { return static_cast<int64_t>(hypotheses.size()); }

  std::vector<RecurrentHypothesis> hypotheses;
  RnnState carried;
  Tensor outputs;        // [N, E] what the output layer reads
  KeyValueCache memory;  // of all sources
  CacheCompaction compact;
};

RecurrentDecoderState& as_recurrent(DecoderState& state) {
  return static_cast<RecurrentDecoderState&>(state);
}
const RecurrentDecoderState& as_recurrent(const DecoderState& state) {
  return static_cast<const RecurrentDecoderState&>(state);
}

RnnState kept(RnnState state) {
  state.for_each([](Var& x) { x = Var(x.value.keep()); });
  return state;
}

}  // namespace

int64_t RnnStepDecoder::vocabulary_size() const {
  return model_.words_.vocabulary_size();
}

std::unique_ptr<DecoderState> RnnStepDecoder::make_state() const {
  return std::make_unique<RecurrentDecoderState>();
}

void RnnStepDecoder::start(Context& c, DecoderState& state, const TokenField& source) const {
  RecurrentDecoderState& s = as_recurrent(state);
  c.arena.reset();
  const RnnSeq2Seq::Encoded encoded = model_.encode(c, source);
  RecurrentDecoderState started;
  int64_t first = 0;
  if (model_.attends()) first = s.memory.append(model_.attention_->cached(c, encoded.memory));
  for (int64_t i = 0; i < source.layout.sentences(); ++i) {
    started.hypotheses.push_back(
        {static_cast<int32_t>(first) + source.layout.begin(i), source.layout.length(i)});
  }
  started.carried = kept(encoded.start);
  // The new rows' first step reads <s>; the rows already here keep what they have.
  started.memory = std::move(s.memory);
  append(c, started, std::vector<int32_t>(started.hypotheses.size(), kBeginToken));
  s.memory = std::move(started.memory);

  if (s.rows() == 0) {
    s.carried = started.carried;
    s.outputs = started.outputs;
  } else {
    s.carried.for_each([](Var& here, const Var& more) { here = Var(concat_rows(here.value, more.value)); },
                       started.carried);
    s.outputs = concat_rows(s.outputs, started.outputs);
  }
  s.hypotheses.insert(s.hypotheses.end(), started.hypotheses.begin(), started.hypotheses.end());
}

void RnnStepDecoder::append(Context& c, DecoderState& state, std::span<const int32_t> tokens) const {
  RecurrentDecoderState& s = as_recurrent(state);
  require(static_cast<int64_t>(tokens.size()) == s.rows(), "decoding: {} tokens for {} hypotheses",
          tokens.size(), s.rows());
  c.arena.reset();

  std::vector<int32_t> positions, attended;
  StepMemory memory{{0}, {}};
  for (const RecurrentHypothesis& h : s.hypotheses) {
    positions.push_back(h.position);
    attended.push_back(h.attended);
    memory.first.push_back(h.memory_first);
    memory.offsets.push_back(memory.offsets.back() + h.memory_length);
  }
  const TokenField inputs{{tokens.begin(), tokens.end()}, Layout::of_steps(positions)};
  const Var y = embedding(c, inputs, *model_.words_.target_embedding, model_.target_options_);  // [N, E]
  RnnState next = s.carried;
  const RnnSeq2Seq::StepOutputs outputs =
      model_.advance(c, model_.decoder_.front().gates(c, y), inputs.layout, next, [&](const Var& queries) {
        return model_.attention_->step(c, queries, positions, s.memory, memory, attended);
      });
  for (size_t i = 0; i < attended.size(); ++i) {
    ++s.hypotheses[i].position;
    s.hypotheses[i].attended = attended[i];
  }
  const Var out = model_.attentional(c, outputs, y);  // [N, E]
  if (model_.feed_) next.fed = out;
  s.carried = kept(std::move(next));
  s.outputs = out.value.keep();
}

void RnnStepDecoder::select(DecoderState& state, std::span<const int32_t> parents) const {
  RecurrentDecoderState& s = as_recurrent(state);
  std::vector<RecurrentHypothesis> selected;
  for (const int32_t parent : parents) selected.push_back(s.hypotheses.at(static_cast<size_t>(parent)));
  s.hypotheses = std::move(selected);
  s.carried.for_each([&](Var& x) { x = Var(x.value.keep_rows(parents)); });
  s.outputs = s.outputs.keep_rows(parents);
  s.compact({&s.memory, 1}, [&] {
    std::vector<SeenRows> seen;
    for (RecurrentHypothesis& h : s.hypotheses) seen.push_back({&h.memory_first, h.memory_length});
    return seen;
  });
}

Candidates RnnStepDecoder::candidates(Context& c, const DecoderState& state, int64_t k,
                                      std::span<const float> bias) const {
  return model_.words_.candidates(c, as_recurrent(state).outputs, k, bias);
}

std::vector<float> RnnStepDecoder::log_probs(Context& c, const DecoderState& state) const {
  return model_.words_.log_probs(c, as_recurrent(state).outputs);
}

std::unique_ptr<StepDecoder> RnnSeq2Seq::step_decoder() const {
  return std::make_unique<RnnStepDecoder>(*this);
}

}  // namespace heed
