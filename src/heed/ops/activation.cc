#include "heed/ops/activation.h"

namespace heed {
namespace {

using kernels::Activation;

// Of others the derivative is found from what they were given.
bool derives_from_output(Activation act) {
  return act == Activation::relu || act == Activation::tanh || act == Activation::sigmoid;
}

Tensor run(Context& c, const Tensor& x, Activation act, const kernels::Dropout& dropped,
           const uint64_t* row_keys) {
  Tensor y = c.allocate(x.shape(), x.dtype());
  dispatch(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    kernels::activate(c.pool, {.rows = x.rows(),
                               .width = x.width(),
                               .activation = act,
                               .dropout = dropped,
                               .row_keys = row_keys,
                               .x = x.data<T>(),
                               .y = y.data<T>()});
  });
  return y;
}

}  // namespace

Var activation(Context& c, const Var& x, Activation act, const DropoutSite& site, const Layout& layout) {
  const kernels::Dropout dropped = site.in(c);
  if (act == Activation::none && dropped.probability == 0.0f) return x;
  require(x.value.is_dense(), "activation: the input must be dense");
  require(dropped.probability == 0.0f || layout.rows() == x.rows(), "dropout: {} rows with a layout of {}",
          x.rows(), layout.rows());

  Var y(run(c, x.value, act, dropped, layout.row_keys().data()));
  if (!c.recording() || !x.gradient) return y;

  // The gradient needs act's own output; where dropout has thinned it, x is kept and act is done again.
  const bool again = dropped.probability > 0.0f && act != Activation::none && derives_from_output(act);
  Tensor saved;
  if (act != Activation::none) saved = (again || !derives_from_output(act)) ? x.value : y.value;
  c.tape->record(y, [act, dropped, again, saved, layout, into = x.gradient](Context& c, const Tensor& dy) {
    const Tensor basis = again ? run(c, saved, act, {}, nullptr) : saved;
    Tensor dx = c.allocate(dy.shape(), dy.dtype());
    dispatch(dy.dtype(), [&](auto zero) {
      using T = decltype(zero);
      kernels::activate_gradient(c.pool, {.rows = dy.rows(),
                                          .width = dy.width(),
                                          .activation = act,
                                          .dropout = dropped,
                                          .row_keys = layout.row_keys().data(),
                                          .x = basis.data_or_null<T>(),
                                          .dy = dy.data<T>(),
                                          .dx = dx.data<T>()});
    });
    into->add(c, dx);
  });
  return y;
}

Var activation(Context& c, const Var& x, Activation act) {
  return activation(c, x, act, DropoutSite(), Layout());
}

}  // namespace heed
