// Activations, dropout, residual connections and norms.
#include "heed/kernels/reference/layer.h"

#include <cmath>
#include <utility>

#include "heed/ops/activation.h"
#include "heed/ops/batch_norm.h"
#include "heed/ops/norm.h"
#include "tests/ops/cases/cases.h"

namespace heed::test {
namespace {

using kernels::Activation;

Values plain_activation(const OpSize& size, const Values& x, Activation act, const DropoutSite& site) {
  Values y(x.size());
  kernels::reference::activate<double>({.rows = size.rows(),
                                        .width = size.width,
                                        .activation = act,
                                        .dropout = dropped_at(site),
                                        .row_keys = size.layout().row_keys().data(),
                                        .x = x.data(),
                                        .y = y.data()});
  return y;
}

OpCase activation_case(const std::string& name, Activation act, double probability) {
  const DropoutSite site("case", probability);
  return {name, [=](const OpSize& size) {
            OpInstance made;
            made.operands = {{"x", {size.rows(), size.width}}};
            made.run = [=](Context& c, const OpInputs& in) {
              return std::vector{activation(c, in.var(0), act, site, size.layout())};
            };
            made.plain = [=](const std::vector<Values>& in) {
              return std::vector<Values>{plain_activation(size, in[0], act, site)};
            };
            made.flops = static_cast<double>(size.rows() * size.width);
            return made;
          }};
}

OpCase dropout_case(const std::string& name, double probability) {
  const DropoutSite site("case", probability);
  return {name, [=](const OpSize& size) {
            OpInstance made;
            made.operands = {{"x", {size.rows(), size.width}}};
            made.run = [=](Context& c, const OpInputs& in) {
              return std::vector{dropout(c, in.var(0), site, size.layout())};
            };
            made.plain = [=](const std::vector<Values>& in) {
              return std::vector<Values>{plain_activation(size, in[0], Activation::none, site)};
            };
            made.flops = static_cast<double>(size.rows() * size.width);
            return made;
          }};
}

// residual, layer_norm and residual_norm by what they have of the two.
OpCase norm_case(const std::string& name, bool with_y, bool with_norm, double probability) {
  const DropoutSite site("case", probability);
  return {name, [=](const OpSize& size) {
            const int64_t rows = size.rows(), width = size.width;
            const size_t gain = with_y ? 2 : 1, bias = gain + 1;
            OpInstance made;
            made.operands = {{"x", {rows, width}}};
            if (with_y) made.operands.push_back({"y", {rows, width}});
            if (with_norm) {
              made.operands.push_back({"gain", {width}, Operand::Kind::parameter, 0.3, 1.0});
              made.operands.push_back({"bias", {width}, Operand::Kind::parameter});
            }
            made.run = [=](Context& c, const OpInputs& in) {
              if (!with_norm) return std::vector{residual(c, in.var(0), in.var(1), site, size.layout())};
              const NormParameters norm{&in.parameter(gain), &in.parameter(bias)};
              if (!with_y) return std::vector{layer_norm(c, in.var(0), norm)};
              return std::vector{residual_norm(c, in.var(0), in.var(1), site, size.layout(), norm)};
            };
            made.plain = [=](const std::vector<Values>& in) {
              Values y(rows * width);
              kernels::reference::residual_norm<double>({.rows = rows,
                                                         .width = width,
                                                         .x = in[0].data(),
                                                         .y = with_y ? in[1].data() : nullptr,
                                                         .dropout = dropped_at(site),
                                                         .row_keys = size.layout().row_keys().data(),
                                                         .gain = with_norm ? in[gain].data() : nullptr,
                                                         .bias = with_norm ? in[bias].data() : nullptr,
                                                         .epsilon = NormParameters{}.epsilon,
                                                         .sum = with_norm ? nullptr : y.data(),
                                                         .normed = with_norm ? y.data() : nullptr});
              return std::vector<Values>{y};
            };
            made.flops = (with_norm ? 8.0 : 1.0) * static_cast<double>(rows * width);
            return made;
          }};
}

// By the statistics of the rows, or by running ones.
OpCase batch_norm_case(const std::string& name, bool training) {
  return {name, [=](const OpSize& size) {
            const int64_t rows = size.rows(), width = size.width;
            Tensor running_mean = Tensor::empty({width}), running_variance = Tensor::empty({width});
            std::fill_n(running_mean.data<float>(), width, 0.25f);
            std::fill_n(running_variance.data<float>(), width, 1.5f);
            OpInstance made;
            made.operands = {{"x", {rows, width}, Operand::Kind::activation, 1.0, 0.5},
                             {"gain", {width}, Operand::Kind::parameter, 0.3, 1.0},
                             {"bias", {width}, Operand::Kind::parameter}};
            made.run = [=](Context& c, const OpInputs& in) {
              const bool before = std::exchange(c.training, training);
              const Var y = batch_norm(c, in.var(0),
                                       {.gain = &in.parameter(1),
                                        .bias = &in.parameter(2),
                                        .running_mean = running_mean,
                                        .running_variance = running_variance});
              c.training = before;
              return std::vector{y};
            };
            made.plain = [=](const std::vector<Values>& in) {
              Values y(rows * width);
              for (int64_t j = 0; j < width; ++j) {
                double mean = 0.25, variance = 1.5;
                if (training) {
                  mean = variance = 0.0;
                  for (int64_t r = 0; r < rows; ++r) mean += in[0][r * width + j] / static_cast<double>(rows);
                  for (int64_t r = 0; r < rows; ++r)
                    variance += std::pow(in[0][r * width + j] - mean, 2) / static_cast<double>(rows);
                }
                for (int64_t r = 0; r < rows; ++r)
                  y[r * width + j] =
                      in[1][j] * (in[0][r * width + j] - mean) / std::sqrt(variance + 1e-5) + in[2][j];
              }
              return std::vector<Values>{y};
            };
            made.flops = 8.0 * static_cast<double>(rows * width);
            return made;
          }};
}

}  // namespace

std::vector<Op> layer_ops() {
  return {{"activation",
           "activation.h",
           "dropout(act(x))",
           true,
           {activation_case("relu", Activation::relu, 0.0),
            activation_case("squared relu", Activation::squared_relu, 0.0),
            activation_case("gelu", Activation::gelu, 0.0), activation_case("tanh", Activation::tanh, 0.0),
            activation_case("sigmoid", Activation::sigmoid, 0.0),
            activation_case("relu with dropout", Activation::relu, 0.3),
            activation_case("squared relu with dropout", Activation::squared_relu, 0.3),
            activation_case("gelu with dropout", Activation::gelu, 0.3),
            activation_case("tanh with dropout", Activation::tanh, 0.3)}},
          {"dropout",
           "dropout.h",
           "x with elements dropped, the others scaled up",
           true,
           {dropout_case("0.3", 0.3)}},
          {"layer_norm", "norm.h", "LayerNorm(x)", true, {norm_case("plain", false, true, 0.0)}},
          {"residual_norm",
           "norm.h",
           "LayerNorm(x + dropout(y))",
           true,
           {norm_case("plain", true, true, 0.0), norm_case("with dropout", true, true, 0.3)}},
          {"batch_norm",
           "batch_norm.h",
           "BatchNorm(x) over all rows",
           true,
           {batch_norm_case("training", true), batch_norm_case("running statistics", false)}},
          {"residual",
           "norm.h",
           "x + dropout(y)",
           true,
           {norm_case("plain", true, false, 0.0), norm_case("with dropout", true, false, 0.3)}}};
}

}  // namespace heed::test
