#include "heed/ops/rotary.h"

#include "heed/kernels/reference/layer.h"
#include "tests/ops/cases/cases.h"

namespace heed::test {
namespace {

// Three heads are turned; `more` columns beside them are not.
OpCase rotary_case(const std::string& name, int64_t more) {
  return {name, [=](const OpSize& size) {
            const int64_t rows = size.rows(), columns = size.width, width = columns + more;
            const Layout layout = size.layout();
            const auto angles =
                std::make_shared<SinusoidalPositions>(columns / 3, SinusoidalPositions::Order::halves);
            OpInstance made;
            made.operands = {{"x", {rows, width}}};
            made.run = [=](Context& c, const OpInputs& in) {
              return std::vector{rotary(c, in.var(0), layout, *angles, columns)};
            };
            made.plain = [=](const std::vector<Values>& in) {
              const Tensor table = angles->up_to(layout.positions_end());
              const Values wide(table.data<float>(), table.data<float>() + table.size());
              Values y(in[0].size());
              kernels::reference::rotary<double>({.rows = rows,
                                                  .width = width,
                                                  .rotated = columns,
                                                  .head_width = angles->width(),
                                                  .angles = wide.data(),
                                                  .position = layout.positions().data(),
                                                  .x = in[0].data(),
                                                  .y = y.data()});
              return std::vector<Values>{y};
            };
            made.flops = 3.0 * static_cast<double>(rows * columns);
            return made;
          }};
}

}  // namespace

std::vector<Op> rotary_ops() {
  return {{"rotary",
           "rotary.h",
           "queries and keys turned by their positions",
           true,
           {rotary_case("all columns", 0), rotary_case("values beside them", 5)}}};
}

}  // namespace heed::test
