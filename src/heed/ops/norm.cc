#include "heed/ops/norm.h"

#include "heed/kernels/layer.h"

namespace heed {
namespace {

// One pass serves the three: y may be absent, the norm may be absent.
Var run(Context& c, const Var& x, const Var& y, const DropoutSite& site, const Layout& layout,
        const NormParameters* norm) {
  require(!y || x.shape() == y.shape(), "residual: shapes {} and {} differ", x.shape().to_string(),
          y ? y.shape().to_string() : "");
  require(!y || layout.rows() == x.rows(), "residual: {} rows with a layout of {}", x.rows(), layout.rows());
  require(x.value.is_dense() && (!y || y.value.is_dense()), "residual and norm: the inputs must be dense");
  require(
      norm == nullptr || (norm->gain->value().size() == x.width() && norm->bias->value().size() == x.width()),
      "norm: an input of width {} for another gain or bias", x.width());
  const kernels::Dropout dropped = y ? site.in(c) : kernels::Dropout{};
  const bool recording = c.recording() && (x.gradient || y.gradient || norm);

  const auto moved = static_cast<double>(x.value.size() * size_of(x.value.dtype()));
  const ProfileScope scope(c.profile, "residual, norm", 8.0 * static_cast<double>(x.value.size()),
                           4.0 * moved);
  // The norm's gradient reads the sum; without a norm the sum is the result.
  Tensor sum, normed, mean, rstd;
  if (y && (norm == nullptr || recording)) sum = c.allocate(x.shape(), x.value.dtype());
  if (norm != nullptr) normed = c.allocate(x.shape(), x.value.dtype());
  if (norm != nullptr && recording) {
    mean = c.allocate(Shape{x.rows()}, DType::f32);
    rstd = c.allocate(Shape{x.rows()}, DType::f32);
  }
  dispatch(x.value.dtype(), [&](auto zero) {
    using T = decltype(zero);
    kernels::residual_norm(c.pool, {.rows = x.rows(),
                                    .width = x.width(),
                                    .x = x.value.data<T>(),
                                    .y = y ? y.value.data<T>() : nullptr,
                                    .dropout = dropped,
                                    .row_keys = layout.row_keys().data(),
                                    .gain = norm ? norm->gain->value().data<float>() : nullptr,
                                    .bias = norm ? norm->bias->value().data<float>() : nullptr,
                                    .epsilon = norm ? norm->epsilon : 0.0f,
                                    .sum = sum ? sum.data<T>() : nullptr,
                                    .normed = normed ? normed.data<T>() : nullptr,
                                    .mean = mean ? mean.data<float>() : nullptr,
                                    .rstd = rstd ? rstd.data<float>() : nullptr});
  });

  Var out(norm != nullptr ? normed : sum);
  if (!recording) return out;
  const Tensor saved = norm == nullptr ? Tensor() : (y ? sum : x.value);
  const NormParameters parameters = norm ? *norm : NormParameters{};
  c.tape->record(out, [saved, mean, rstd, dropped, layout, parameters, into_x = x.gradient,
                       into_y = y.gradient](Context& c, const Tensor& d_out) {
    const bool with_norm = parameters.gain != nullptr;
    const bool thinned = into_y && dropped.probability > 0.0f;
    if (!with_norm && !thinned) {
      if (into_x) into_x->add(c, d_out);
      if (into_y) into_y->add(c, d_out);
      return;
    }
    const auto moved = static_cast<double>(d_out.size() * size_of(d_out.dtype()));
    const ProfileScope scope(c.profile, "residual, norm gradient", 12.0 * static_cast<double>(d_out.size()),
                             4.0 * moved);
    Tensor d_x = c.allocate(d_out.shape(), d_out.dtype());
    Tensor d_y = thinned ? c.allocate(d_out.shape(), d_out.dtype()) : Tensor();
    Tensor d_gain, d_bias;
    if (with_norm) {
      d_gain = c.allocate(parameters.gain->shape(), DType::f32);
      d_bias = c.allocate(parameters.bias->shape(), DType::f32);
    }
    dispatch(d_out.dtype(), [&](auto zero) {
      using T = decltype(zero);
      kernels::residual_norm_gradient(c.pool,
                                      {.rows = d_out.rows(),
                                       .width = d_out.width(),
                                       .sum = with_norm ? saved.data<T>() : nullptr,
                                       .gain = with_norm ? parameters.gain->value().data<float>() : nullptr,
                                       .mean = with_norm ? mean.data<float>() : nullptr,
                                       .rstd = with_norm ? rstd.data<float>() : nullptr,
                                       .d_normed = with_norm ? d_out.data<T>() : nullptr,
                                       .d_sum = with_norm ? nullptr : d_out.data<T>(),
                                       .dropout = dropped,
                                       .row_keys = layout.row_keys().data(),
                                       .d_x = d_x.data<T>(),
                                       .d_y = d_y ? d_y.data<T>() : nullptr,
                                       .d_gain = d_gain ? d_gain.data<float>() : nullptr,
                                       .d_bias = d_bias ? d_bias.data<float>() : nullptr});
    });
    if (with_norm) {
      parameters.gain->gradient().add(c, d_gain);
      parameters.bias->gradient().add(c, d_bias);
    }
    if (into_x) into_x->add(c, d_x);
    if (into_y) into_y->add(c, thinned ? d_y : d_x);
  });
  return out;
}

}  // namespace

Var layer_norm(Context& c, const Var& x, const NormParameters& norm) {
  return run(c, x, Var(), DropoutSite(), Layout(), &norm);
}

Var residual_norm(Context& c, const Var& x, const Var& y, const DropoutSite& site, const Layout& layout,
                  const NormParameters& norm) {
  return run(c, x, y, site, layout, &norm);
}

Var residual(Context& c, const Var& x, const Var& y, const DropoutSite& site, const Layout& layout) {
  return run(c, x, y, site, layout, nullptr);
}

}  // namespace heed
