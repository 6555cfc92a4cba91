// Every op of src/heed/ops, once. A case drives four things: the comparison with the op's plain definition,
// finite differences of that definition in f64 against the op's gradient, thread and level sweeps
// (op_cases_test.cc), the benchmark (bench/), and the table in docs/ops.md. docs/how-to-add-an-op.md says how
// to add one. Knows no test framework, so that the benchmark can link it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "heed/autograd/parameter.h"
#include "heed/ops/dropout.h"

namespace heed::test {

using Values = std::vector<double>;

// How large a case is made: the rows of a ragged batch, and the width of its activations (a multiple of 6, so
// that it divides into two or three heads).
struct OpSize {
  std::vector<int32_t> lengths;
  int64_t width = 12;

  Layout layout() const { return Layout::of_lengths(lengths); }
  int64_t rows() const { return layout().rows(); }
};

// Numbers an op works on, drawn at random around `center`. Activations come in the context's precision and
// may ask for a gradient; parameters are weights, f32.
struct Operand {
  enum class Kind { activation, parameter };

  std::string name;
  Shape shape;
  Kind kind = Kind::activation;
  double spread = 1.0;
  double center = 0.0;
};

// Operands as the op takes them, in the order of their declaration.
struct OpInputs {
  std::vector<Var> vars;                               // of activations; others are empty
  std::vector<std::unique_ptr<Parameter>> parameters;  // of parameters; others are null

  const Var& var(size_t i) const { return vars.at(i); }
  const Tensor& tensor(size_t i) const { return vars.at(i).value; }
  const Parameter& parameter(size_t i) const { return *parameters.at(i); }
};

// A case at one size.
struct OpInstance {
  std::vector<Operand> operands;
  // The op. Outputs that leave a gradient are differentiated, the others only compared.
  std::function<std::vector<Var>(Context& c, const OpInputs& inputs)> run;
  // Its plain definition in f64: the values of the operands in, the values of the same outputs out.
  std::function<std::vector<Values>(const std::vector<Values>& operands)> plain;
  double flops = 0.0;  // of the forward pass
};

struct OpCase {
  std::string name;  // what is special about it: "relu", "causal"
  std::function<OpInstance(const OpSize& size)> make;
};

struct Op {
  std::string name;      // of the function
  std::string header;    // in src/heed/ops
  std::string computes;  // one line, for the table
  bool has_gradient = true;
  std::vector<OpCase> cases;
};

// In the order of the table.
const std::vector<Op>& registered_ops();

// The table of docs/ops.md.
std::string op_table();

// Cases with dropout are run in training, under this key; the plain definition asks here what a site drops.
inline constexpr uint64_t kCaseRandomKey = 7;
kernels::Dropout dropped_at(const DropoutSite& site);

// A case with its operands drawn, in one context.
class OpRunner {
 public:
  // The same seed draws the same numbers in every context; all of them are bf16 numbers, so that no precision
  // rounds them.
  OpRunner(Context& c, const OpCase& op_case, const OpSize& size, uint64_t seed);

  const OpInstance& instance() const { return instance_; }
  const std::vector<Values>& operands() const { return operands_; }

  // Each resets the context's step memory first. `forward` records nothing.
  std::vector<Var> forward();
  struct Gradients {
    std::vector<Var> outputs;
    // For each operand; empty when none reached it.
    std::vector<Tensor> of_operands;
  };
  // Of the sum over differentiable outputs of output * output_weights(output's index, size).
  Gradients forward_backward();
  static Values output_weights(size_t output, int64_t size);

 private:
  Context& c_;
  OpInstance instance_;
  std::vector<Values> operands_;
  OpInputs inputs_;
};

}  // namespace heed::test
