#include "heed/ops/convolution.h"

#include "heed/kernels/reference/convolution.h"
#include "tests/ops/cases/cases.h"

namespace heed::test {
namespace {

OpCase convolution_case(const std::string& name, int64_t taps, int64_t left) {
  return {name, [=](const OpSize& size) {
            const int64_t rows = size.rows(), width = size.width;
            const Layout layout = size.layout();
            OpInstance made;
            made.operands = {{"x", {rows, width}}, {"weights", {taps, width}, Operand::Kind::parameter, 0.5}};
            made.run = [=](Context& c, const OpInputs& in) {
              return std::vector{depthwise_convolution(c, in.var(0), layout, in.parameter(1), left)};
            };
            made.plain = [=](const std::vector<Values>& in) {
              Values y(in[0].size());
              kernels::reference::depthwise_convolution<double>({.sentences = layout.sentences(),
                                                                 .offsets = layout.offsets().data(),
                                                                 .width = width,
                                                                 .taps = taps,
                                                                 .left = left,
                                                                 .weights = in[1].data(),
                                                                 .x = in[0].data(),
                                                                 .y = y.data()});
              return std::vector<Values>{y};
            };
            made.flops = 2.0 * static_cast<double>(taps * rows * width);
            return made;
          }};
}

}  // namespace

std::vector<Op> convolution_ops() {
  return {{"depthwise_convolution",
           "convolution.h",
           "each column mixed over neighbouring positions of its sentence",
           true,
           {convolution_case("centred", 3, 1), convolution_case("of the past", 4, 3)}}};
}

}  // namespace heed::test
