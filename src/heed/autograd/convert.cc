#include "heed/autograd/convert.h"

#include "heed/kernels/layer.h"

namespace heed {

Tensor as_f32(Context& c, const Tensor& x) {
  if (!x || (x.dtype() == DType::f32 && x.is_dense())) return x;
  Tensor copy = c.allocate(x.shape(), DType::f32);
  dispatch(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    kernels::convert(c.pool, x.rows(), x.width(), x.data<T>(), x.row_stride(), copy.data<float>());
  });
  return copy;
}

void add_as(Context& c, const Var& into, const Tensor& d) {
  if (into.value.dtype() == DType::f32) {
    into.gradient->add(c, d);
    return;
  }
  Tensor copy = c.allocate(d.shape(), DType::bf16);
  kernels::convert(c.pool, d.rows(), d.width(), d.data<float>(), d.width(), copy.data<Bf16>());
  into.gradient->add(c, copy);
}

}  // namespace heed
