#include "tests/ops/registry.h"

#include <fmt/format.h>

#include "tests/ops/cases/cases.h"
#include "tests/support/random_values.h"

namespace heed::test {
namespace {

// `count` normal numbers that bf16 holds exactly.
Values draw(int64_t count, uint64_t seed, double spread, double center) {
  Values values = normal_values<double>(count, seed, spread);
  for (double& value : values) value = static_cast<float>(Bf16(static_cast<float>(value + center)));
  return values;
}

Tensor tensor_of(const Tensor& into, const Values& values) {
  dispatch(into.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for (size_t i = 0; i < values.size(); ++i) into.data<T>()[i] = T(static_cast<float>(values[i]));
  });
  return into;
}

}  // namespace

const std::vector<Op>& registered_ops() {
  static const std::vector<Op> ops = [] {
    std::vector<Op> all;
    for (const auto& group : {embedding_ops(), rotary_ops(), convolution_ops(), linear_ops(), layer_ops(),
                              attention_ops(), monotonic_attention_ops(), output_ops(), sigmoid_output_ops(),
                              recurrent_ops(), attention_decoder_ops(), local_attention_ops(), rows_ops()}) {
      all.insert(all.end(), group.begin(), group.end());
    }
    return all;
  }();
  return ops;
}

std::string op_table() {
  std::string table = "| op | header | computes | gradient | cases |\n| --- | --- | --- | --- | --- |\n";
  for (const Op& op : registered_ops()) {
    std::string cases;
    for (const OpCase& op_case : op.cases) cases += (cases.empty() ? "" : "; ") + op_case.name;
    table += fmt::format("| `{}` | `{}` | {} | {} | {} |\n", op.name, op.header, op.computes,
                         op.has_gradient ? "yes" : "no", cases);
  }
  return table;
}

kernels::Dropout dropped_at(const DropoutSite& site) {
  return {site.probability, mix64(kCaseRandomKey, site.site)};
}

OpRunner::OpRunner(Context& c, const OpCase& op_case, const OpSize& size, uint64_t seed)
    : c_(c), instance_(op_case.make(size)) {
  c.training = true;
  c.random_key = kCaseRandomKey;
  for (size_t i = 0; i < instance_.operands.size(); ++i) {
    const Operand& operand = instance_.operands[i];
    operands_.push_back(draw(operand.shape.size(), mix64(seed, i), operand.spread, operand.center));
    const bool is_parameter = operand.kind == Operand::Kind::parameter;
    inputs_.vars.emplace_back();
    inputs_.parameters.push_back(
        is_parameter ? std::make_unique<Parameter>(operand.name,
                                                   tensor_of(Tensor::empty(operand.shape), operands_.back()))
                     : nullptr);
    if (!is_parameter)
      inputs_.vars.back().value = tensor_of(Tensor::empty(operand.shape, c.precision), operands_.back());
  }
}

std::vector<Var> OpRunner::forward() {
  c_.arena.reset();
  for (Var& var : inputs_.vars) var.gradient = nullptr;
  return instance_.run(c_, inputs_);
}

OpRunner::Gradients OpRunner::forward_backward() {
  c_.arena.reset();
  for (Var& var : inputs_.vars) {
    if (var) var.gradient = std::make_shared<Gradient>();
  }
  Tape tape;
  const Mode recording(c_, &tape, c_.training);
  Gradients result;
  result.outputs = instance_.run(c_, inputs_);

  Var root(c_.allocate(Shape{1}, DType::f32));
  *root.value.data<float>() = 0.0f;
  tape.record(root, [outputs = result.outputs](Context& c, const Tensor&) {
    for (size_t i = 0; i < outputs.size(); ++i) {
      const Var& output = outputs[i];
      if (!output.gradient) continue;
      output.gradient->add(c, tensor_of(c.allocate(output.shape(), output.value.dtype()),
                                        output_weights(i, output.value.size())));
    }
  });
  tape.backward(c_, root);

  for (size_t i = 0; i < inputs_.vars.size(); ++i) {
    Gradient& gradient =
        inputs_.parameters[i] ? inputs_.parameters[i]->gradient() : *inputs_.vars[i].gradient;
    result.of_operands.push_back(gradient.take(c_));
  }
  return result;
}

Values OpRunner::output_weights(size_t output, int64_t size) {
  return draw(size, mix64(99, output), 1.0, 0.0);
}

}  // namespace heed::test
