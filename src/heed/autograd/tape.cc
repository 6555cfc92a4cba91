#include "heed/autograd/tape.h"

#include <cstring>
#include <utility>

#include "heed/kernels/layer.h"

namespace heed {

void Gradient::add(Context& c, Tensor contribution) {
  if (empty()) {
    value_ = std::move(contribution);
    return;
  }
  const Tensor& sum = wide_ ? wide_ : value_;
  require(sum.shape() == contribution.shape() && sum.is_dense() && contribution.is_dense(),
          "gradients of shapes {} and {} for one variable", sum.shape().to_string(),
          contribution.shape().to_string());
  const ProfileScope scope(c.profile, "gradient sums", static_cast<double>(sum.size()),
                           static_cast<double>(3 * sum.size() * size_of(contribution.dtype())));
  if (is_sum_ && value_ && value_.dtype() == DType::bf16) widen(c);
  if (wide_) {
    kernels::add_to(c.pool, wide_.size(), contribution.data<Bf16>(), wide_.data<float>());
    return;
  }
  // Another variable may hold the same tensor (an addition hands one gradient to both its inputs).
  if (value_.shares_storage_with_others()) {
    Tensor copy = c.allocate(value_.shape(), value_.dtype());
    dispatch(value_.dtype(), [&](auto zero) {
      using T = decltype(zero);
      std::memcpy(copy.data<T>(), value_.data<T>(), static_cast<size_t>(value_.size()) * sizeof(T));
    });
    value_ = copy;
  }
  dispatch(value_.dtype(), [&](auto zero) {
    using T = decltype(zero);
    kernels::add_to(c.pool, value_.size(), contribution.data<T>(), value_.data<T>());
  });
  is_sum_ = true;
}

void Gradient::widen(Context& c) {
  wide_ = c.allocate(value_.shape(), DType::f32);
  kernels::convert(c.pool, value_.rows(), value_.width(), value_.data<Bf16>(), value_.width(),
                   wide_.data<float>());
  value_ = Tensor();
}

Tensor Gradient::take(Context& c) {
  if (wide_) {
    value_ = c.allocate(wide_.shape(), DType::bf16);
    kernels::convert(c.pool, wide_.rows(), wide_.width(), wide_.data<float>(), wide_.width(),
                     value_.data<Bf16>());
  }
  return std::exchange(*this, Gradient()).value_;
}

Tensor& Gradient::accumulator(Context& c, const Shape& shape) {
  if (!value_) value_ = c.zeros(shape, DType::f32);
  return value_;
}

void Tape::record(Var& output, Step step) {
  output.gradient = std::make_shared<Gradient>();
  steps_.push_back([gradient = output.gradient, step = std::move(step)](Context& c) {
    if (!gradient->empty()) step(c, gradient->take(c));
  });
}

void Tape::record(const std::vector<Var*>& outputs, std::function<void(Context&)> step) {
  for (Var* output : outputs) output->gradient = std::make_shared<Gradient>();
  steps_.push_back(std::move(step));
}

void Tape::backward(Context& c, const Var& loss, float seed) {
  require(loss.value.size() == 1, "backward starts from a scalar, not from a tensor of shape {}",
          loss.shape().to_string());
  require(loss.gradient != nullptr, "backward: the loss was computed while nothing was recorded");
  Tensor d_loss = c.allocate(Shape{1}, DType::f32);
  *d_loss.data<float>() = seed;
  loss.gradient->add(c, d_loss);
  while (!steps_.empty()) {
    const std::function<void(Context&)> step = std::move(steps_.back());
    steps_.pop_back();
    step(c);
  }
}

}  // namespace heed
