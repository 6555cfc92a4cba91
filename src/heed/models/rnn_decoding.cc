#include "heed/models/rnn_decoding.h"

#include <algorithm>

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

void copy_rows(const Tensor& from, int64_t from_row, const Tensor& to, int64_t to_row, int64_t rows) {
  dispatch(from.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for (int64_t r = 0; r < rows; ++r)
      std::copy_n(from.row<T>(from_row + r), from.width(), to.row<T>(to_row + r));
  });
}

// f of every tensor that a hypothesis carries and its counterpart in `other`.
template <class F>
void for_each_carried(RecurrentDecoderState& state, RecurrentDecoderState& other, F&& f) {
  for (size_t i = 0; i < other.carried.hidden.size(); ++i)
    f(state.carried.hidden[i].value, other.carried.hidden[i].value);
  for (size_t i = 0; i < other.carried.cell.size(); ++i)
    f(state.carried.cell[i].value, other.carried.cell[i].value);
  f(state.carried.query.value, other.carried.query.value);
  if (other.carried.fed) f(state.carried.fed.value, other.carried.fed.value);
  f(state.outputs, other.outputs);
}

}  // namespace

int64_t RnnStepDecoder::vocabulary_size() const {
  return model_.output_weight_->shape().rows();
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
  started.carried = encoded.start;
  for (Var& x : started.carried.hidden) x = Var(x.value.keep());
  for (Var& x : started.carried.cell) x = Var(x.value.keep());
  started.carried.query = Var(started.carried.query.value.keep());
  if (started.carried.fed) started.carried.fed = Var(started.carried.fed.value.keep());
  // The new rows' first step reads <s>; the rows already here keep what they have.
  started.memory = std::move(s.memory);
  append(c, started, std::vector<int32_t>(started.hypotheses.size(), kBeginToken));
  s.memory = std::move(started.memory);

  const int64_t before = s.rows(), added = started.rows();
  if (before == 0) {
    s.carried = started.carried;
    s.outputs = started.outputs;
  } else {
    for_each_carried(s, started, [&](Tensor& here, const Tensor& more) {
      const Tensor both = Tensor::empty({before + added, more.width()}, more.dtype());
      copy_rows(here, 0, both, 0, before);
      copy_rows(more, 0, both, before, added);
      here = both;
    });
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
  const Var y = embedding(c, inputs, *model_.target_embedding_, model_.target_options_);  // [N, E]
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

  RecurrentDecoderState moved;
  moved.carried = next;
  moved.outputs = out.value;
  s.carried = next;
  for_each_carried(s, moved, [](Tensor& here, const Tensor& there) { here = there.keep(); });
}

void RnnStepDecoder::select(DecoderState& state, std::span<const int32_t> parents) const {
  RecurrentDecoderState& s = as_recurrent(state);
  std::vector<RecurrentHypothesis> selected;
  for (const int32_t parent : parents) selected.push_back(s.hypotheses.at(static_cast<size_t>(parent)));
  s.hypotheses = std::move(selected);
  for_each_carried(s, s, [&](Tensor& here, const Tensor&) {
    const Tensor rows = Tensor::empty({static_cast<int64_t>(parents.size()), here.width()}, here.dtype());
    for (size_t i = 0; i < parents.size(); ++i) copy_rows(here, parents[i], rows, static_cast<int64_t>(i), 1);
    here = rows;
  });
  s.compact({&s.memory, 1}, [&] {
    std::vector<SeenRows> seen;
    for (RecurrentHypothesis& h : s.hypotheses) seen.push_back({&h.memory_first, h.memory_length});
    return seen;
  });
}

Candidates RnnStepDecoder::candidates(Context& c, const DecoderState& state, int64_t k,
                                      std::span<const float> bias) const {
  TopWords top =
      output_top_k(c, as_recurrent(state).outputs, *model_.output_weight_, model_.output_bias_, k, bias);
  return {k, std::move(top.ids), std::move(top.log_probs)};
}

std::vector<float> RnnStepDecoder::log_probs(Context& c, const DecoderState& state) const {
  const Tensor all =
      output_log_probs(c, as_recurrent(state).outputs, *model_.output_weight_, model_.output_bias_);
  return {all.data<float>(), all.data<float>() + all.size()};
}

std::unique_ptr<StepDecoder> RnnSeq2Seq::step_decoder() const {
  return std::make_unique<RnnStepDecoder>(*this);
}

}  // namespace heed
