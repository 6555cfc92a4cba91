#include "heed/ops/rotary.h"

#include "heed/kernels/layer.h"

namespace heed {
namespace {

struct Rotation {
  Layout layout;
  Tensor angles;
  int64_t columns;
};

Tensor rotated(Context& c, const char* name, const Rotation& by, const Tensor& x, bool back) {
  Tensor y = c.allocate(x.shape(), x.dtype());
  const auto numbers = static_cast<double>(x.size());
  const ProfileScope scope(c.profile, name, 3.0 * static_cast<double>(x.rows() * by.columns),
                           2.0 * numbers * static_cast<double>(size_of(x.dtype())));
  dispatch(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    kernels::rotary(c.pool, {.rows = x.rows(),
                             .width = x.width(),
                             .rotated = by.columns,
                             .head_width = by.angles.width(),
                             .angles = by.angles.data<float>(),
                             .position = by.layout.positions().data(),
                             .back = back,
                             .x = x.data<T>(),
                             .y = y.data<T>()});
  });
  return y;
}

}  // namespace

Var rotary(Context& c, const Var& x, const Layout& layout, SinusoidalPositions& sinusoids, int64_t columns) {
  require(x.value.is_dense(), "rotary: the input must be dense");
  require(layout.rows() == x.rows(), "rotary: {} rows with a layout of {}", x.rows(), layout.rows());
  require(sinusoids.order() == SinusoidalPositions::Order::halves,
          "rotary: sines and cosines must be in halves");
  const Rotation by{layout, sinusoids.up_to(layout.positions_end()), columns};
  const int64_t head = by.angles.width();
  require(head % 2 == 0 && columns >= 0 && columns <= x.width() && columns % head == 0,
          "rotary: {} of {} columns do not divide into heads of an even width {}", columns, x.width(), head);
  Var y(rotated(c, "rotary", by, x.value, false));
  if (!c.recording() || !x.gradient) return y;
  c.tape->record(y, [by, into = x.gradient](Context& c, const Tensor& dy) {
    into->add(c, rotated(c, "rotary gradient", by, dy, true));
  });
  return y;
}

}  // namespace heed
