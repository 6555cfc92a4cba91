#include "heed/ops/convolution.h"

#include "heed/kernels/convolution.h"

namespace heed {
namespace {

struct Convolution {
  Layout layout;
  const Parameter& weights;
  int64_t left;
};

// What is multiplied and added, and the bytes of the two activations.
ProfileScope scope_of(Context& c, const char* name, const Convolution& by, const Tensor& x) {
  const auto numbers = static_cast<double>(x.size());
  return {c.profile, name, 2.0 * numbers * static_cast<double>(by.weights.shape().rows()),
          2.0 * numbers * static_cast<double>(size_of(x.dtype()))};
}

Tensor convolved(Context& c, const char* name, const Convolution& by, const Tensor& x, bool back) {
  const ProfileScope scope = scope_of(c, name, by, x);
  Tensor y = c.allocate(x.shape(), x.dtype());
  dispatch(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    kernels::depthwise_convolution(c.pool, {.sentences = by.layout.sentences(),
                                            .offsets = by.layout.offsets().data(),
                                            .width = x.width(),
                                            .taps = by.weights.shape().rows(),
                                            .left = by.left,
                                            .weights = by.weights.value().data<float>(),
                                            .back = back,
                                            .x = x.data<T>(),
                                            .y = y.data<T>()});
  });
  return y;
}

Tensor weight_gradient(Context& c, const Convolution& by, const Tensor& x, const Tensor& dy) {
  const ProfileScope scope = scope_of(c, "convolution weight gradient", by, x);
  Tensor d_weights = c.allocate(by.weights.shape(), DType::f32);
  dispatch(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    kernels::depthwise_convolution_weight_gradient(c.pool, {.sentences = by.layout.sentences(),
                                                            .offsets = by.layout.offsets().data(),
                                                            .width = x.width(),
                                                            .taps = by.weights.shape().rows(),
                                                            .left = by.left,
                                                            .x = x.data<T>(),
                                                            .dy = dy.data<T>(),
                                                            .d_weights = d_weights.data<float>()});
  });
  return d_weights;
}

}  // namespace

Var depthwise_convolution(Context& c, const Var& x, const Layout& layout, const Parameter& weights,
                          int64_t left) {
  require(x.value.is_dense(), "depthwise_convolution: the input must be dense");
  require(layout.rows() == x.rows(), "depthwise_convolution: {} rows with a layout of {}", x.rows(),
          layout.rows());
  const int64_t taps = weights.shape().rows();
  require(weights.shape().width() == x.width() && left >= 0 && left < taps,
          "depthwise_convolution: weights {}, the first {} rows before, on rows of {}",
          weights.shape().to_string(), left, x.width());
  const Convolution by{layout, weights, left};
  Var y(convolved(c, "convolution", by, x.value, false));
  if (!c.recording()) return y;
  c.tape->record(y, [by, x](Context& c, const Tensor& dy) {
    by.weights.gradient().add(c, weight_gradient(c, by, x.value, dy));
    if (x.gradient) x.gradient->add(c, convolved(c, "convolution gradient", by, dy, true));
  });
  return y;
}

}  // namespace heed
