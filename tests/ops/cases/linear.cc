#include "heed/ops/linear.h"

#include "heed/kernels/reference/layer.h"
#include "heed/kernels/reference/matmul.h"
#include "tests/ops/cases/cases.h"

namespace heed::test {
namespace {

using kernels::Activation;

OpCase linear_case(const std::string& name, bool bias, Activation act) {
  return {
      name, [=](const OpSize& size) {
        const int64_t rows = size.rows(), inner = size.width, outer = size.width + 5;
        OpInstance made;
        made.operands = {{"x", {rows, inner}},
                         {"weight", {outer, inner}, Operand::Kind::parameter, 0.5},
                         {"bias", {outer}, Operand::Kind::parameter}};
        if (!bias) made.operands.pop_back();
        made.run = [=](Context& c, const OpInputs& in) {
          return std::vector{linear(c, in.var(0), in.parameter(1), bias ? &in.parameter(2) : nullptr, act)};
        };
        made.plain = [=](const std::vector<Values>& in) {
          Values y(rows * outer);
          kernels::reference::matmul<double, double, double>({.rows = rows,
                                                              .inner = inner,
                                                              .outer = outer,
                                                              .x = in[0].data(),
                                                              .x_stride = inner,
                                                              .b = in[1].data(),
                                                              .b_stride_k = 1,
                                                              .b_stride_n = inner,
                                                              .bias = bias ? in[2].data() : nullptr,
                                                              .y = y.data(),
                                                              .y_stride = outer});
          for (double& value : y) value = kernels::reference::activation(act, value);
          return std::vector<Values>{y};
        };
        made.flops = 2.0 * static_cast<double>(rows * inner * outer);
        return made;
      }};
}

}  // namespace

std::vector<Op> linear_ops() {
  return {{"linear",
           "linear.h",
           "act(x W^T + b)",
           true,
           {linear_case("plain", false, Activation::none), linear_case("bias", true, Activation::none),
            linear_case("relu", true, Activation::relu),
            linear_case("squared relu", true, Activation::squared_relu),
            linear_case("gelu", true, Activation::gelu)}}};
}

}  // namespace heed::test
