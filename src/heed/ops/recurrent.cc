#include "heed/ops/recurrent.h"

#include <algorithm>
#include <memory>

#include "heed/autograd/convert.h"
#include "heed/kernels/layer.h"
#include "heed/ops/bias.h"
#include "heed/ops/weight_gradient.h"

namespace heed {
namespace {

using kernels::Cell;

// What a pass leaves for its gradient.
struct SavedSteps {
  Tensor initial, initial_cell;      // f32, dense
  Tensor h_previous, values, cells;  // [R, H], [R, 4H], [R, 2H]
};

// The gradient of gates that several rows read: the sum over those rows, in ascending order.
Tensor sum_of_readers(Context& c, const RecurrentPass& pass, const Tensor& d_gates) {
  Tensor sum = c.allocate(pass.gates_x.shape(), DType::f32);
  dispatch(d_gates.dtype(), [&](auto zero) {
    using T = decltype(zero);
    kernels::row_sums(c.pool, kernels::RowSumsArgs<T>{.rows = d_gates.rows(),
                                                      .width = d_gates.width(),
                                                      .sums = sum.rows(),
                                                      .into = pass.gates_row->data(),
                                                      .x = d_gates.data<T>(),
                                                      .y = sum.data<float>()});
  });
  return sum;
}

void check(const RecurrentPass& pass, Cell cell, const Layout& layout) {
  const int64_t width = pass.weight->shape().width(), gates = kernels::gates_of(cell) * width;
  require(pass.weight->shape() == (Shape{gates, width}), "recurrent {}: a weight of shape {} for {} gates",
          pass.weight->name(), pass.weight->shape().to_string(), kernels::gates_of(cell));
  const int64_t readers = pass.gates_row ? static_cast<int64_t>(pass.gates_row->size()) : pass.gates_x.rows();
  require(pass.gates_x.width() == gates && readers == layout.rows(),
          "recurrent {}: gates of shape {} read by {} rows for width {} and {} rows", pass.weight->name(),
          pass.gates_x.shape().to_string(), readers, width, layout.rows());
  if (pass.gates_row) {
    for (const int32_t row : *pass.gates_row)
      require(row >= 0 && row < pass.gates_x.rows(), "recurrent {}: row {} of {} is read",
              pass.weight->name(), row, pass.gates_x.rows());
  }
  require_bias("recurrent", *pass.weight, pass.bias, gates);
  for (const Var* initial : {&pass.initial, &pass.initial_cell}) {
    require(!*initial || initial->shape() == (Shape{layout.sentences(), width}),
            "recurrent {}: an initial state of shape {} for {} sentences of width {}", pass.weight->name(),
            *initial ? initial->shape().to_string() : "", layout.sentences(), width);
  }
}

// Without the weight: packing it forward is for the forward pass alone.
template <class T>
kernels::RecurrentArgs<T> arguments(Cell cell, const RecurrentPass& pass, const Layout& layout,
                                    const SavedSteps& saved) {
  return {.cell = cell,
          .sentences = layout.sentences(),
          .width = pass.weight->shape().width(),
          .offsets = layout.offsets().data(),
          .reverse = pass.reverse,
          .gates_x = pass.gates_x.value.data<T>(),
          .gates_stride = pass.gates_x.value.row_stride(),
          .gates_row = pass.gates_row ? pass.gates_row->data() : nullptr,
          .bias = data_or_null(pass.bias),
          .initial = saved.initial.data_or_null<float>(),
          .initial_cell = saved.initial_cell.data_or_null<float>(),
          .h_previous = saved.h_previous.data_or_null<T>(),
          .saved = saved.values.data_or_null<T>(),
          .cells = saved.cells.data_or_null<T>()};
}

// The recurrent products of every row.
ProfileScope profiled(Context& c, const char* op, const std::vector<RecurrentPass>& passes, int64_t rows,
                      double times) {
  double flops = 0.0, bytes = 0.0;
  for (const RecurrentPass& pass : passes) {
    flops += 2.0 * times * static_cast<double>(rows * pass.weight->value().size());
    bytes += times * static_cast<double>(rows * pass.gates_x.width() * size_of(pass.gates_x.value.dtype()));
  }
  return {c.profile, op, flops, bytes};
}

void add_gradients(Context& c, Cell cell, const std::vector<RecurrentPass>& passes, const Layout& layout,
                   const std::vector<SavedSteps>& saved, const Tensor& d_rows,
                   const std::vector<Tensor>& d_last, const std::vector<Tensor>& d_last_cell) {
  const ProfileScope scope = profiled(c, "recurrent gradient", passes, layout.rows(), 2.0);
  const int64_t width = passes.front().weight->shape().width();
  const Shape state{layout.sentences(), width};
  dispatch(d_rows.dtype(), [&](auto zero) {
    using T = decltype(zero);
    std::vector<kernels::RecurrentGradientArgs<T>> args;
    std::vector<GateGradients> d_gates;
    std::vector<Tensor> d_initial, d_initial_cell;
    for (size_t p = 0; p < passes.size(); ++p) {
      const RecurrentPass& pass = passes[p];
      const int64_t column = static_cast<int64_t>(p) * width;
      d_gates.emplace_back(c, cell, layout.rows(), width, d_rows.dtype());
      d_initial.push_back(pass.initial.gradient ? c.allocate(state, DType::f32) : Tensor());
      d_initial_cell.push_back(pass.initial_cell.gradient ? c.allocate(state, DType::f32) : Tensor());
      args.push_back(
          {.forward = arguments<T>(cell, pass, layout, saved[p]),
           .weight_back = &pass.weight->packed_back(c),
           .d_h = d_rows.columns(column, column + width).template data<T>(),
           .d_h_stride = d_rows.row_stride(),
           .d_last = d_last[p].data_or_null<float>(),
           .d_last_cell = cell == Cell::lstm ? d_last_cell[p].data_or_null<float>() : nullptr,
           .d_gates_x = d_gates.back().x.template data<T>(),
           .d_candidate = cell == Cell::gru ? d_gates.back().candidate.template data<T>() : nullptr,
           .d_initial = d_initial.back().template data_or_null<float>(),
           .d_initial_cell = d_initial_cell.back().template data_or_null<float>()});
    }
    kernels::recurrent_gradient(c.pool, args);

    for (size_t p = 0; p < passes.size(); ++p) {
      const RecurrentPass& pass = passes[p];
      add_weight_gradient<T>(*pass.weight, pass.bias, c, d_gates[p].of_state(), saved[p].h_previous);
      if (pass.gates_x.gradient && pass.gates_row)
        add_as(c, pass.gates_x, sum_of_readers(c, pass, d_gates[p].x));
      else if (pass.gates_x.gradient)
        pass.gates_x.gradient->add(c, d_gates[p].x);
      if (d_initial[p]) add_as(c, pass.initial, d_initial[p]);
      if (d_initial_cell[p]) add_as(c, pass.initial_cell, d_initial_cell[p]);
    }
  });
}

}  // namespace

RecurrentStates recurrent(Context& c, Cell cell, const std::vector<RecurrentPass>& passes,
                          const Layout& layout) {
  require(!passes.empty(), "recurrent: no passes");
  for (const RecurrentPass& pass : passes) check(pass, cell, layout);
  const ProfileScope scope = profiled(c, "recurrent", passes, layout.rows(), 1.0);
  const int64_t width = passes.front().weight->shape().width(), rows = layout.rows();
  const DType dtype = passes.front().gates_x.value.dtype();
  const bool lstm = cell == Cell::lstm;

  RecurrentStates out;
  out.rows = Var(c.allocate(Shape{rows, static_cast<int64_t>(passes.size()) * width}, dtype));
  std::vector<SavedSteps> saved;
  for (const RecurrentPass& pass : passes) {
    require(pass.weight->shape().width() == width, "recurrent {}: passes of widths {} and {}",
            pass.weight->name(), pass.weight->shape().width(), width);
    SavedSteps& s = saved.emplace_back();
    s.initial = as_f32(c, pass.initial.value);
    s.initial_cell = as_f32(c, pass.initial_cell.value);
    if (c.recording()) {
      s.h_previous = c.allocate(Shape{rows, width}, dtype);
      s.values = c.allocate(Shape{rows, 4 * width}, dtype);
      if (lstm) s.cells = c.allocate(Shape{rows, 2 * width}, dtype);
    }
    const Shape state{layout.sentences(), width};
    out.last.emplace_back(c.allocate(state, DType::f32));
    if (lstm) out.last_cell.emplace_back(c.allocate(state, DType::f32));
  }
  dispatch(dtype, [&](auto zero) {
    using T = decltype(zero);
    std::vector<kernels::RecurrentArgs<T>> args;
    for (size_t p = 0; p < passes.size(); ++p) {
      const int64_t column = static_cast<int64_t>(p) * width;
      args.push_back(arguments<T>(cell, passes[p], layout, saved[p]));
      args.back().weight = &passes[p].weight->packed(c);
      args.back().h = out.rows.value.columns(column, column + width).template data<T>();
      args.back().h_stride = out.rows.value.row_stride();
      args.back().last = out.last[p].value.data<float>();
      if (lstm) args.back().last_cell = out.last_cell[p].value.data<float>();
    }
    kernels::recurrent(c.pool, args);
  });
  if (!c.recording()) return out;

  auto outputs = std::make_shared<RecurrentStates>();  // what backward asks for its gradients
  std::vector<Var*> recorded{&out.rows};
  for (Var& last : out.last) recorded.push_back(&last);
  for (Var& last : out.last_cell) recorded.push_back(&last);
  c.tape->record(recorded, [cell, passes, layout, saved, outputs](Context& c) {
    const auto taken = [&c](const std::vector<Var>& states) {
      std::vector<Tensor> gradients;
      for (const Var& state : states) gradients.push_back(state.gradient->take(c));
      return gradients;
    };
    const std::vector<Tensor> d_last = taken(outputs->last), d_last_cell = taken(outputs->last_cell);
    Tensor d_rows = outputs->rows.gradient->take(c);
    const auto present = [](const Tensor& d) { return static_cast<bool>(d); };
    if (!d_rows && std::none_of(d_last.begin(), d_last.end(), present) &&
        std::none_of(d_last_cell.begin(), d_last_cell.end(), present)) {
      return;
    }
    if (!d_rows) d_rows = c.zeros(outputs->rows.shape(), passes.front().gates_x.value.dtype());
    add_gradients(c, cell, passes, layout, saved, d_rows, d_last, d_last_cell);
  });
  *outputs = out;
  return out;
}

}  // namespace heed
