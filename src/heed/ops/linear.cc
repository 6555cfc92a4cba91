#include "heed/ops/linear.h"

#include "heed/kernels/matmul.h"
#include "heed/ops/activation.h"
#include "heed/ops/bias.h"
#include "heed/ops/weight_gradient.h"

namespace heed {
namespace {

// What a product of these rows and widths costs.
ProfileScope profiled(Context& c, const char* op, const Tensor& x, int64_t outer) {
  const auto rows = static_cast<double>(x.rows()), k = static_cast<double>(x.width()),
             n = static_cast<double>(outer);
  const auto element = static_cast<double>(size_of(x.dtype()));
  return {c.profile, op, 2.0 * rows * k * n, element * (rows * (k + n) + k * n)};
}

Tensor product(Context& c, const char* op, const Tensor& x, const kernels::PackedMatrix& b,
               const Parameter* bias, bool relu) {
  const ProfileScope scope = profiled(c, op, x, b.outer());
  Tensor y = c.allocate(Shape{x.rows(), b.outer()}, x.dtype());
  dispatch(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    kernels::matmul(c.pool, kernels::MatmulArgs<T>{.x = x.data<T>(),
                                                   .x_stride = x.row_stride(),
                                                   .rows = x.rows(),
                                                   .b = &b,
                                                   .bias = data_or_null(bias),
                                                   .relu = relu,
                                                   .y = y.data<T>(),
                                                   .y_stride = y.row_stride()});
  });
  return y;
}

}  // namespace

Var linear(Context& c, const Var& x, const Parameter& weight, const Parameter* bias,
           kernels::Activation act) {
  require(x.width() == weight.shape().width(), "linear {}: input of width {} for a weight of shape {}",
          weight.name(), x.width(), weight.shape().to_string());
  require_bias("linear", weight, bias, weight.shape().rows());
  const bool relu = act == kernels::Activation::relu;
  Var y(product(c, "linear", x.value, weight.packed(c), bias, relu));
  if (c.recording()) {
    c.tape->record(y, [x, &weight, bias, relu, output = relu ? y.value : Tensor()](Context& c, Tensor dy) {
      if (relu) {
        Tensor dz = c.allocate(dy.shape(), dy.dtype());
        dispatch(dy.dtype(), [&](auto zero) {
          using T = decltype(zero);
          kernels::activate_gradient(c.pool, {.rows = dy.rows(),
                                              .width = dy.width(),
                                              .activation = kernels::Activation::relu,
                                              .x = output.data<T>(),
                                              .dy = dy.data<T>(),
                                              .dx = dz.data<T>()});
        });
        dy = dz;
      }
      {
        const ProfileScope scope = profiled(c, "linear weight gradient", x.value, dy.width());
        dispatch(dy.dtype(),
                 [&](auto zero) { add_weight_gradient<decltype(zero)>(weight, bias, c, {dy}, x.value); });
      }
      if (x.gradient)
        x.gradient->add(c, product(c, "linear input gradient", dy, weight.packed_back(c), nullptr, false));
    });
  }
  return relu ? y : activation(c, y, act);
}

}  // namespace heed
