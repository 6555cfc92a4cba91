// The eager tape: while it records, an op leaves a closure that adds its inputs' gradients from its output's.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "heed/tensor/context.h"
#include "heed/tensor/tensor.h"

namespace heed {

// Where a variable's gradient gathers. The first contribution is taken over as it is, later ones are added:
// an activation that one op reads costs no addition and no clearing. From the third one on the sum is kept in
// f32, so that what many steps add to one memory is rounded once and not at every step.
class Gradient {
 public:
  bool empty() const { return !value_ && !wide_; }
  // Adds `contribution`, which must not be written to by anyone else afterwards.
  void add(Context& c, Tensor contribution);
  // The gradient to add to in place, zeros at first: for ops that touch few rows of it.
  Tensor& accumulator(Context& c, const Shape& shape);
  // The sum, in the type of the contributions; empty where there was none. Leaves nothing.
  Tensor take(Context& c);

 private:
  void widen(Context& c);

  Tensor value_;
  Tensor wide_;  // takes its place
  bool is_sum_ = false;
};

// A value in the computation; `gradient` is null when nothing before it asks for one.
struct Var {
  Tensor value;
  std::shared_ptr<Gradient> gradient;

  Var() = default;
  // A constant.
  explicit Var(Tensor value) : value(std::move(value)) {}

  explicit operator bool() const { return static_cast<bool>(value); }
  const Shape& shape() const { return value.shape(); }
  int64_t rows() const { return value.rows(); }
  int64_t width() const { return value.width(); }
};

class Tape {
 public:
  // An op's output whose gradient will be asked for: `step` runs in backward(), unless no gradient reached
  // the output. It is given that gradient, which it may hand on but not write to: another variable may hold
  // it too.
  using Step = std::function<void(Context& c, Tensor d_output)>;
  void record(Var& output, Step step);
  // For ops with several outputs: the step looks at the outputs' gradients itself, some may be empty.
  void record(const std::vector<Var*>& outputs, std::function<void(Context& c)> step);

  // Runs the steps in reverse, starting from d loss = `seed`, and empties the tape. What a step held is let
  // go as soon as it ran. Throws Error when loss is not a scalar or was not recorded.
  void backward(Context& c, const Var& loss, float seed = 1.0f);

 private:
  std::vector<std::function<void(Context&)>> steps_;
};

// While it lives, ops leave their gradients on this tape (null: they leave none) and drop out or not; then c
// is as it was.
class Mode {
 public:
  Mode(Context& c, Tape* tape, bool training) : c_(c), tape_(c.tape), training_(c.training) {
    c.tape = tape;
    c.training = training;
  }
  ~Mode() {
    c_.tape = tape_;
    c_.training = training_;
  }
  Mode(const Mode&) = delete;
  Mode& operator=(const Mode&) = delete;

 private:
  Context& c_;
  Tape* tape_;
  bool training_;
};

// Ops drop out; they leave no gradients without a tape.
struct AsInTraining : Mode {
  explicit AsInTraining(Context& c, Tape* tape = nullptr) : Mode(c, tape, true) {}
};

// Ops neither drop out nor leave gradients.
struct AsInDecoding : Mode {
  explicit AsInDecoding(Context& c) : Mode(c, nullptr, false) {}
};

}  // namespace heed
