#include "heed/autograd/convert.h"

#include <algorithm>

namespace heed {

Tensor as_f32(Context& c, const Tensor& x) {
  if (!x || (x.dtype() == DType::f32 && x.is_dense())) return x;
  Tensor copy = c.allocate(x.shape(), DType::f32);
  dispatch(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for (int64_t r = 0; r < x.rows(); ++r)
      std::transform(x.row<T>(r), x.row<T>(r) + x.width(), copy.row<float>(r),
                     [](T value) { return static_cast<float>(value); });
  });
  return copy;
}

void add_as(Context& c, const Var& into, const Tensor& d) {
  if (into.value.dtype() == DType::f32) {
    into.gradient->add(c, d);
    return;
  }
  Tensor copy = c.allocate(d.shape(), DType::bf16);
  std::transform(d.data<float>(), d.data<float>() + d.size(), copy.data<Bf16>(),
                 [](float value) { return Bf16(value); });
  into.gradient->add(c, copy);
}

}  // namespace heed
