#include "heed/ops/batch_norm.h"

#include "heed/kernels/batch_norm.h"

namespace heed {
namespace {

// What the batch was normalised with.
struct Statistics {
  Tensor mean, variance;  // [D]
  bool of_batch = false;
};

template <class T>
kernels::BatchNormArgs<T> arguments(const Tensor& x, const BatchNormParameters& norm,
                                    const Statistics& statistics) {
  return {.rows = x.rows(),
          .width = x.width(),
          .x = x.data<T>(),
          .gain = norm.gain->value().data<float>(),
          .bias = norm.bias->value().data<float>(),
          .epsilon = norm.epsilon,
          .of_batch = statistics.of_batch,
          .mean = statistics.mean.data<float>(),
          .variance = statistics.variance.data<float>()};
}

// A single row has no variance: it moves nothing.
void move_running(const BatchNormParameters& norm, const Statistics& statistics, int64_t rows) {
  if (rows < 2) return;
  const float unbiased = static_cast<float>(rows) / static_cast<float>(rows - 1);
  float* mean = norm.running_mean.data<float>();
  float* variance = norm.running_variance.data<float>();
  for (int64_t j = 0; j < norm.running_mean.size(); ++j) {
    mean[j] += norm.momentum * (statistics.mean.data<float>()[j] - mean[j]);
    variance[j] += norm.momentum * (unbiased * statistics.variance.data<float>()[j] - variance[j]);
  }
}

}  // namespace

Var batch_norm(Context& c, const Var& x, const BatchNormParameters& norm) {
  require(x.value.is_dense(), "batch norm: the input must be dense");
  require(norm.gain->value().size() == x.width() && norm.bias->value().size() == x.width() &&
              norm.running_mean.size() == x.width() && norm.running_variance.size() == x.width(),
          "batch norm {}: made for another width than {}", norm.gain->name(), x.width());
  const ProfileScope scope(c.profile, "batch norm", 8.0 * static_cast<double>(x.value.size()),
                           static_cast<double>(4 * x.value.size() * size_of(x.value.dtype())));
  Statistics statistics{norm.running_mean, norm.running_variance, c.training};
  if (c.training) {
    statistics.mean = c.allocate(Shape{x.width()}, DType::f32);
    statistics.variance = c.allocate(Shape{x.width()}, DType::f32);
  }
  Var y(c.allocate(x.shape(), x.value.dtype()));
  dispatch(x.value.dtype(), [&](auto zero) {
    using T = decltype(zero);
    kernels::BatchNormArgs<T> args = arguments<T>(x.value, norm, statistics);
    args.y = y.value.data<T>();
    kernels::batch_norm(c.pool, args);
  });
  if (c.training) move_running(norm, statistics, x.rows());
  if (!c.recording()) return y;
  // Running statistics may have moved on by the time the gradient is asked for, where no batch stands in.
  if (!statistics.of_batch) statistics = {statistics.mean.keep(), statistics.variance.keep(), false};
  c.tape->record(y, [x, norm, statistics](Context& c, const Tensor& dy) {
    const ProfileScope scope(c.profile, "batch norm gradient", 12.0 * static_cast<double>(dy.size()),
                             static_cast<double>(5 * dy.size() * size_of(dy.dtype())));
    const Tensor dx = c.allocate(x.shape(), dy.dtype());
    const Tensor d_gain = c.allocate(norm.gain->shape(), DType::f32);
    const Tensor d_bias = c.allocate(norm.bias->shape(), DType::f32);
    dispatch(dy.dtype(), [&](auto zero) {
      using T = decltype(zero);
      kernels::batch_norm_gradient(
          c.pool, kernels::BatchNormGradientArgs<T>{.forward = arguments<T>(x.value, norm, statistics),
                                                    .dy = dy.data<T>(),
                                                    .dx = dx.data<T>(),
                                                    .d_gain = d_gain.data<float>(),
                                                    .d_bias = d_bias.data<float>()});
    });
    norm.gain->gradient().add(c, d_gain);
    norm.bias->gradient().add(c, d_bias);
    if (x.gradient) x.gradient->add(c, dx);
  });
  return y;
}

}  // namespace heed
