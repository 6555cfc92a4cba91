// The gradient of a weight whose products lie inside an op: one large product over all rows, after the op's
// own gradient.
#pragma once

#include <vector>

#include "heed/autograd/parameter.h"
#include "heed/kernels/matmul.h"
#include "heed/kernels/recurrent.h"
#include "heed/tensor/context.h"

namespace heed {

// dW [N, K] = dy^T x, and db [N] the sums of dy unless bias is null. dy [R, N] may come in parts, its columns
// from the first on; x is [R, K].
template <class T>
void add_weight_gradient(const Parameter& weight, const Parameter* bias, Context& c,
                         const std::vector<Tensor>& dy, const Tensor& x) {
  const Tensor dw = c.allocate(weight.shape(), DType::f32);
  const Tensor db = bias != nullptr ? c.allocate(bias->shape(), DType::f32) : Tensor();
  int64_t begin = 0;
  for (const Tensor& part : dy) {
    kernels::weight_gradient(
        c.pool, kernels::WeightGradientArgs<T>{.dy = part.template data<T>(),
                                               .dy_stride = part.row_stride(),
                                               .x = x.template data<T>(),
                                               .x_stride = x.row_stride(),
                                               .rows = x.rows(),
                                               .inner = x.width(),
                                               .outer = part.width(),
                                               .dw = dw.template data<float>() + begin * x.width(),
                                               .dbias = db ? db.template data<float>() + begin : nullptr});
    begin += part.width();
  }
  weight.gradient().add(c, dw);
  if (bias != nullptr) bias->gradient().add(c, db);
}

// What a recurrent pass leaves for the gradient of its state's weight (kernels/recurrent.h).
struct GateGradients {
  Tensor x;          // [R, GH]
  Tensor candidate;  // [R, H] of a GRU, else none

  GateGradients() = default;
  GateGradients(Context& c, kernels::Cell cell, int64_t rows, int64_t width, DType dtype)
      : x(c.allocate(Shape{rows, kernels::gates_of(cell) * width}, dtype)),
        candidate(cell == kernels::Cell::gru ? c.allocate(Shape{rows, width}, dtype) : Tensor()) {}

  // [R, GH] in parts: of the products with the state.
  std::vector<Tensor> of_state() const {
    if (!candidate) return {x};
    return {x.columns(0, x.width() - candidate.width()), candidate};
  }
};

}  // namespace heed
