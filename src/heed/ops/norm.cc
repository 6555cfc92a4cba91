#include "heed/ops/norm.h"

#include <memory>

#include "heed/kernels/layer.h"

namespace heed {
namespace {

// What the forward pass leaves for the gradient. Without a norm gain is null, and sum, mean and rstd are not
// there.
struct Saved {
  Tensor sum, mean, rstd;
  kernels::Dropout dropped;
  Layout layout;
  NormParameters norm;
  std::shared_ptr<Gradient> into_x, into_y;
};

void add_gradients(Context& c, const Saved& saved, const Tensor& d_out) {
  const bool with_norm = saved.norm.gain != nullptr;
  const bool thinned = saved.into_y && saved.dropped.probability > 0.0f;
  if (!with_norm && !thinned) {
    if (saved.into_x) saved.into_x->add(c, d_out);
    if (saved.into_y) saved.into_y->add(c, d_out);
    return;
  }
  const ProfileScope scope(c.profile, "residual, norm gradient", 12.0 * static_cast<double>(d_out.size()),
                           4.0 * static_cast<double>(d_out.size() * size_of(d_out.dtype())));
  const Tensor d_x = c.allocate(d_out.shape(), d_out.dtype());
  const Tensor d_y = thinned ? c.allocate(d_out.shape(), d_out.dtype()) : Tensor();
  Tensor d_gain, d_bias;
  if (with_norm) {
    d_gain = c.allocate(saved.norm.gain->shape(), DType::f32);
    d_bias = c.allocate(saved.norm.bias->shape(), DType::f32);
  }
  dispatch(d_out.dtype(), [&](auto zero) {
    using T = decltype(zero);
    kernels::residual_norm_gradient(c.pool, {.rows = d_out.rows(),
                                             .width = d_out.width(),
                                             .sum = saved.sum.data_or_null<T>(),
                                             .gain = data_or_null(saved.norm.gain),
                                             .mean = saved.mean.data_or_null<float>(),
                                             .rstd = saved.rstd.data_or_null<float>(),
                                             .d_normed = with_norm ? d_out.data<T>() : nullptr,
                                             .d_sum = with_norm ? nullptr : d_out.data<T>(),
                                             .dropout = saved.dropped,
                                             .row_keys = saved.layout.row_keys().data(),
                                             .d_x = d_x.data<T>(),
                                             .d_y = d_y.data_or_null<T>(),
                                             .d_gain = d_gain.data_or_null<float>(),
                                             .d_bias = d_bias.data_or_null<float>()});
  });
  if (with_norm) {
    saved.norm.gain->gradient().add(c, d_gain);
    saved.norm.bias->gradient().add(c, d_bias);
  }
  if (saved.into_x) saved.into_x->add(c, d_x);
  if (saved.into_y) saved.into_y->add(c, thinned ? d_y : d_x);
}

// One pass serves the three: y may be absent, and the norm, whose gain is null then.
Var run(Context& c, const Var& x, const Var& y, const DropoutSite& site, const Layout& layout,
        const NormParameters& norm) {
  const bool with_norm = norm.gain != nullptr;
  require(!y || x.shape() == y.shape(), "residual: shapes {} and {} differ", x.shape().to_string(),
          y ? y.shape().to_string() : "");
  require(!y || layout.rows() == x.rows(), "residual: {} rows with a layout of {}", x.rows(), layout.rows());
  require(x.value.is_dense() && (!y || y.value.is_dense()), "residual and norm: the inputs must be dense");
  require(!with_norm || (norm.gain->value().size() == x.width() && norm.bias->value().size() == x.width()),
          "norm: an input of width {} for another gain or bias", x.width());
  const DType dtype = x.value.dtype();
  const bool recording = c.recording() && (x.gradient || y.gradient || with_norm);
  const ProfileScope scope(c.profile, "residual, norm", 8.0 * static_cast<double>(x.value.size()),
                           4.0 * static_cast<double>(x.value.size() * size_of(dtype)));
  Saved saved;
  saved.dropped = y ? site.in(c) : kernels::Dropout{};
  // The norm's gradient reads the sum; without a norm the sum is the result.
  Tensor sum, normed;
  if (y && (!with_norm || recording)) sum = c.allocate(x.shape(), dtype);
  if (with_norm) normed = c.allocate(x.shape(), dtype);
  if (with_norm && recording) {
    saved.mean = c.allocate(Shape{x.rows()}, DType::f32);
    saved.rstd = c.allocate(Shape{x.rows()}, DType::f32);
  }
  dispatch(dtype, [&](auto zero) {
    using T = decltype(zero);
    kernels::residual_norm(c.pool, {.rows = x.rows(),
                                    .width = x.width(),
                                    .x = x.value.data<T>(),
                                    .y = y.value.data_or_null<T>(),
                                    .dropout = saved.dropped,
                                    .row_keys = layout.row_keys().data(),
                                    .gain = data_or_null(norm.gain),
                                    .bias = data_or_null(norm.bias),
                                    .epsilon = norm.epsilon,
                                    .sum = sum.data_or_null<T>(),
                                    .normed = normed.data_or_null<T>(),
                                    .mean = saved.mean.data_or_null<float>(),
                                    .rstd = saved.rstd.data_or_null<float>()});
  });

  Var out(with_norm ? normed : sum);
  if (!recording) return out;
  if (with_norm) saved.sum = y ? sum : x.value;
  saved.layout = layout;
  saved.norm = norm;
  saved.into_x = x.gradient;
  saved.into_y = y.gradient;
  c.tape->record(out, [saved](Context& c, const Tensor& d_out) { add_gradients(c, saved, d_out); });
  return out;
}

}  // namespace

Var layer_norm(Context& c, const Var& x, const NormParameters& norm) {
  require(norm.gain != nullptr && norm.bias != nullptr, "norm: no gain, or no bias");
  return run(c, x, Var(), DropoutSite(), Layout(), norm);
}

Var residual_norm(Context& c, const Var& x, const Var& y, const DropoutSite& site, const Layout& layout,
                  const NormParameters& norm) {
  require(norm.gain != nullptr && norm.bias != nullptr, "norm: no gain, or no bias");
  return run(c, x, y, site, layout, norm);
}

Var residual(Context& c, const Var& x, const Var& y, const DropoutSite& site, const Layout& layout) {
  return run(c, x, y, site, layout, {});
}

}  // namespace heed
