#include "heed/ops/attention_decoder.h"

#include <algorithm>
#include <memory>
#include <vector>

#include "heed/autograd/convert.h"
#include "heed/kernels/attention_decoder.h"
#include "heed/ops/attention_parts.h"
#include "heed/ops/bias.h"
#include "heed/ops/weight_gradient.h"

namespace heed {
namespace {

using kernels::Cell;

// What the forward pass leaves for the gradient, but for its outputs.
struct SavedPass {
  explicit SavedPass(AttentionPairs of) : pairs(std::move(of)) {}

  AttentionPairs pairs;                      // whose weights stand where
  Tensor initial, initial_cell;              // f32, dense
  Tensor before, first_values, first_cells;  // of f_1: states before it, [R_t, 4H], [R_t, 2H]
  Tensor between, values, cells;             // the same of the cell that reads the context
  Tensor queries;                            // [R_t, A] f32
};

int64_t width_of(const AttentionDecoderInputs& in) {
  return in.weight->shape().width();
}

void check(const AttentionDecoderInputs& in, const Layout& target, const Layout& source) {
  const int64_t width = width_of(in), gates = kernels::gates_of(in.cell) * width;
  const int64_t scores = in.score->value().size();
  const std::string& name = in.weight->name();
  require(target.sentences() == source.sentences(), "attention decoder {}: {} target sentences for {}", name,
          target.sentences(), source.sentences());
  const auto weight_fits = [&](const Parameter& weight, int64_t outer) {
    require(weight.shape() == (Shape{outer, width}), "attention decoder {}: a weight {} of shape {}, not {}",
            name, weight.name(), weight.shape().to_string(), (Shape{outer, width}).to_string());
  };
  weight_fits(*in.weight, gates);
  weight_fits(*in.query_weight, scores);
  if (in.first_weight != nullptr) weight_fits(*in.first_weight, gates);
  for (const Parameter* bias : {in.bias, in.first_bias})
    require_bias("attention decoder", *in.weight, bias, gates);
  const auto fits = [&](const char* what, const Var& x, const Shape& shape) {
    require(x.shape() == shape, "attention decoder {}: {} of shape {}, not {}", name, what,
            x.shape().to_string(), shape.to_string());
  };
  fits("gates", in.gates_x, {target.rows(), gates});
  fits("keys", in.keys, {source.rows(), scores});
  fits("gates of the context", in.context_gates, {source.rows(), gates});
  fits("memory", in.memory, {source.rows(), in.memory.width()});
  if (in.initial) fits("initial states", in.initial, {target.sentences(), width});
  if (in.initial_cell) fits("initial cells", in.initial_cell, {target.sentences(), width});
}

// The products of every row, and attention's tanh and sums of every pair.
ProfileScope profiled(Context& c, const char* op, const AttentionDecoderInputs& in, int64_t pairs,
                      double times) {
  const int64_t products = in.weight->value().size() + in.query_weight->value().size() +
                           (in.first_weight != nullptr ? in.first_weight->value().size() : 0);
  const int64_t of_pair = 12 * in.keys.width() + 2 * (in.context_gates.width() + in.memory.width());
  return {c.profile, op, times * static_cast<double>(2 * in.gates_x.rows() * products + pairs * of_pair),
          times * static_cast<double>(in.gates_x.value.size() * size_of(in.gates_x.value.dtype()))};
}

// The pass' arguments, but for the packed weights, which each direction wants in its own form: `first` lives
// as long as they do.
template <class T>
struct Arguments {
  kernels::RecurrentArgs<T> first;
  kernels::AttentionDecoderArgs<T> args;

  Arguments(const AttentionDecoderInputs& in, const Layout& target, const Layout& source,
            const SavedPass& saved, const AttentionDecoderStates& out) {
    const int64_t width = width_of(in);
    const auto cell = [&](const Parameter* bias) {
      kernels::RecurrentArgs<T> made;
      made.cell = in.cell;
      made.sentences = target.sentences();
      made.width = width;
      made.offsets = target.offsets().data();
      made.bias = data_or_null(bias);
      return made;
    };
    args.cell = cell(in.bias);
    args.cell.initial = saved.initial.data_or_null<float>();
    args.cell.initial_cell = saved.initial_cell.data_or_null<float>();
    args.cell.h = out.states.value.data<T>();
    args.cell.h_stride = width;
    args.cell.h_previous = saved.between.data_or_null<T>();
    args.cell.saved = saved.values.data_or_null<T>();
    args.cell.cells = saved.cells.data_or_null<T>();
    if (in.first_weight != nullptr) {
      first = cell(in.first_bias);
      first.h_previous = saved.before.data_or_null<T>();
      first.saved = saved.first_values.data_or_null<T>();
      first.cells = saved.first_cells.data_or_null<T>();
      args.first = &first;
    }
    kernels::RecurrentArgs<T>& reader = in.first_weight != nullptr ? first : args.cell;
    reader.gates_x = in.gates_x.value.data<T>();
    reader.gates_stride = in.gates_x.value.row_stride();
    args.key_offsets = source.offsets().data();
    args.score_width = in.keys.width();
    args.value_width = in.memory.width();
    args.score = in.score->value().data<float>();
    args.keys = in.keys.value.data<T>();
    args.context_gates = in.context_gates.value.data<T>();
    args.values = in.memory.value.data<T>();
    args.key_stride = in.keys.value.row_stride();
    args.context_gates_stride = in.context_gates.value.row_stride();
    args.value_stride = in.memory.value.row_stride();
    args.weight_begin = saved.pairs.weight_begin.data();
    args.weights = out.weights.data<float>();
    args.contexts = out.contexts.value.data<T>();
    args.queries = saved.queries.data_or_null<float>();
  }
  void pack_forward(Context& c, const AttentionDecoderInputs& in) {
    args.cell.weight = &in.weight->packed(c);
    args.query = &in.query_weight->packed(c);
    if (in.first_weight != nullptr) first.weight = &in.first_weight->packed(c);
  }
  Arguments(const Arguments&) = delete;
  Arguments& operator=(const Arguments&) = delete;
};

template <class T>
void add_gradients(Context& c, const AttentionDecoderInputs& in, const Layout& target, const Layout& source,
                   const SavedPass& saved, const AttentionDecoderStates& out, const Tensor& d_states,
                   const Tensor& d_contexts) {
  const int64_t width = width_of(in), rows = target.rows();
  const DType dtype = dtype_of<T>;
  const bool conditional = in.first_weight != nullptr;
  const Shape state{target.sentences(), width};
  const Arguments<T> forward(in, target, source, saved, out);

  const Tensor d_weights = c.allocate(out.weights.shape(), DType::f32);
  const Tensor d_queries = c.allocate(Shape{rows, in.keys.width()}, dtype);
  const Tensor d_keys = c.allocate(in.keys.shape(), dtype);
  const Tensor d_key_sums = dtype == DType::f32 ? d_keys : c.allocate(in.keys.shape(), DType::f32);
  const Tensor d_context_gates = c.allocate(in.context_gates.shape(), dtype);
  const Tensor d_memory = c.allocate(in.memory.shape(), dtype);
  const Tensor d_score = c.allocate(Shape{target.sentences(), in.keys.width()}, DType::f32);
  const Tensor d_initial = in.initial.gradient ? c.allocate(state, DType::f32) : Tensor();
  const Tensor d_initial_cell = in.initial_cell.gradient ? c.allocate(state, DType::f32) : Tensor();

  const auto cell_gradient = [&](const kernels::RecurrentArgs<T>& args, const Parameter& weight,
                                 GateGradients& d_gates) {
    d_gates = GateGradients(c, in.cell, rows, width, dtype);
    kernels::RecurrentGradientArgs<T> made;
    made.forward = args;
    made.weight_back = &weight.packed_back(c);
    made.d_gates_x = d_gates.x.template data<T>();
    made.d_candidate = d_gates.candidate.data_or_null<T>();
    return made;
  };
  GateGradients first, cell;
  kernels::AttentionDecoderGradientArgs<T> args;
  args.forward = forward.args;
  args.cell = cell_gradient(forward.args.cell, *in.weight, cell);
  args.cell.d_h = d_states.data_or_null<T>();
  args.cell.d_h_stride = d_states ? d_states.row_stride() : 0;
  kernels::RecurrentGradientArgs<T> first_args;
  if (conditional) {
    first_args = cell_gradient(forward.first, *in.first_weight, first);
    args.first = &first_args;
  }
  args.query_back = &in.query_weight->packed_back(c);
  args.d_contexts = d_contexts.data_or_null<T>();
  args.d_contexts_stride = d_contexts ? d_contexts.row_stride() : 0;
  args.d_weights = d_weights.data<float>();
  args.d_queries = d_queries.data<T>();
  args.d_key_sums = d_key_sums.data<float>();
  args.d_keys = d_keys.data<T>();
  args.d_context_gates = d_context_gates.data<T>();
  args.d_values = d_memory.data<T>();
  args.d_score = d_score.data<float>();
  args.d_initial = d_initial.data_or_null<float>();
  args.d_initial_cell = d_initial_cell.data_or_null<float>();
  kernels::attention_decoder_gradient(c.pool, args);

  add_weight_gradient<T>(*in.weight, in.bias, c, cell.of_state(), saved.between);
  add_weight_gradient<T>(*in.query_weight, nullptr, c, {d_queries}, saved.between);
  if (conditional) add_weight_gradient<T>(*in.first_weight, in.first_bias, c, first.of_state(), saved.before);
  add_row_sums(*in.score, c, d_score);
  if (in.gates_x.gradient) in.gates_x.gradient->add(c, conditional ? first.x : cell.x);
  if (in.keys.gradient) in.keys.gradient->add(c, d_keys);
  if (in.context_gates.gradient) in.context_gates.gradient->add(c, d_context_gates);
  if (in.memory.gradient) in.memory.gradient->add(c, d_memory);
  if (d_initial) add_as(c, in.initial, d_initial);
  if (d_initial_cell) add_as(c, in.initial_cell, d_initial_cell);
}

}  // namespace

AttentionDecoderStates attention_decoder(Context& c, const AttentionDecoderInputs& in, const Layout& target,
                                         const Layout& source) {
  check(in, target, source);
  const int64_t width = width_of(in), rows = target.rows();
  const DType dtype = in.gates_x.value.dtype();
  const bool lstm = in.cell == Cell::lstm;
  auto saved = std::make_shared<SavedPass>(AttentionPairs(target, source));
  const int64_t pairs = saved->pairs.weights();
  const ProfileScope scope = profiled(c, "attention decoder", in, pairs, 1.0);

  saved->initial = as_f32(c, in.initial.value);
  saved->initial_cell = as_f32(c, in.initial_cell.value);
  if (c.recording()) {
    const auto of_width = [&](int64_t columns) { return c.allocate(Shape{rows, columns}, dtype); };
    saved->between = of_width(width);
    saved->values = of_width(4 * width);
    if (lstm) saved->cells = of_width(2 * width);
    if (in.first_weight != nullptr) {
      saved->before = of_width(width);
      saved->first_values = of_width(4 * width);
      if (lstm) saved->first_cells = of_width(2 * width);
    }
    saved->queries = c.allocate(Shape{rows, in.keys.width()}, DType::f32);
  }
  AttentionDecoderStates out;
  out.states = Var(c.allocate(Shape{rows, width}, dtype));
  out.contexts = Var(c.allocate(Shape{rows, in.memory.width()}, dtype));
  out.weights = c.allocate(Shape{pairs}, DType::f32);
  dispatch(dtype, [&](auto zero) {
    using T = decltype(zero);
    Arguments<T> forward(in, target, source, *saved, out);
    forward.pack_forward(c, in);
    kernels::attention_decoder(c.pool, forward.args);
  });
  if (!c.recording()) return out;

  auto outputs = std::make_shared<AttentionDecoderStates>();  // what backward asks for its gradients
  c.tape->record({&out.states, &out.contexts}, [in, target, source, saved, outputs, pairs](Context& c) {
    const Tensor d_states = outputs->states.gradient->take(c),
                 d_contexts = outputs->contexts.gradient->take(c);
    if (!d_states && !d_contexts) return;
    const ProfileScope scope = profiled(c, "attention decoder gradient", in, pairs, 2.0);
    dispatch(in.gates_x.value.dtype(), [&](auto zero) {
      add_gradients<decltype(zero)>(c, in, target, source, *saved, *outputs, d_states, d_contexts);
    });
  });
  *outputs = out;
  return out;
}

}  // namespace heed
