#include "heed/autograd/parameter.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace heed {

Parameter::Parameter(std::string name, Tensor value)
    : name_(std::move(name)), value_(std::move(value)), gradient_(std::make_shared<Gradient>()) {
  require(value_.dtype() == DType::f32, "parameter {}: the master copy is f32, not {}", name_,
          name_of(value_.dtype()));
}

void Parameter::forget_packed() {
  const std::lock_guard lock(packing_);
  const auto held = std::count_if(std::begin(packed_), std::end(packed_),
                                  [](const kernels::PackedMatrix& packed) { return bool(packed); });
  for (kernels::PackedMatrix& packed : packed_) {
    if (packed && held == 1) spare_ = std::move(packed);
    packed = {};
  }
}

Var Parameter::var(const Context& c) const {
  Var var(value_);
  if (c.recording()) var.gradient = gradient_;
  return var;
}

const kernels::PackedMatrix& Parameter::packed_as(Context& c, bool back) const {
  const std::lock_guard lock(packing_);
  kernels::PackedMatrix& packed = packed_[(back ? 1 : 0) + (c.precision == DType::bf16 ? 2 : 0)];
  if (!packed) {
    const int64_t outer = value_.rows(), inner = value_.width();
    const ProfileScope scope(c.profile, "packing weights", 0.0,
                             static_cast<double>(value_.size() * (4 + size_of(c.precision))));
    const int64_t k = back ? outer : inner, n = back ? inner : outer;
    packed = kernels::PackedMatrix(c.pool, value_.data<float>(), k, n, back ? inner : 1, back ? 1 : inner,
                                   c.precision, std::exchange(spare_, {}));
  }
  return packed;
}

}  // namespace heed
