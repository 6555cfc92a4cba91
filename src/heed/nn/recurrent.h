// One direction of one recurrent layer. Letters: B sentences, R rows, K inner width, H width of the state, G
// gates (GRU 3, LSTM 4).
#pragma once

#include <string>

#include "heed/nn/linear.h"
#include "heed/ops/recurrent.h"

namespace heed {

// GRU (Cho et al. 2014) or LSTM (Hochreiter & Schmidhuber 1997); kernels/recurrent.h has the equations.
class Recurrent {
 public:
  Recurrent(ParameterStore& store, const std::string& name, kernels::Cell cell, int64_t in, int64_t width)
      : input_(store, name + ".input", in, kernels::gates_of(cell) * width, kernels::gates_of(cell)),
        weight_(&store.add(name + ".recurrent.weight", {kernels::gates_of(cell) * width, width},
                           Initial::xavier(width, width))),
        bias_(&store.add(name + ".recurrent.bias", {kernels::gates_of(cell) * width},
                         Initial::constant(0.0))) {}

  // The input products of all rows at once: x [R, K] -> [R, GH].
  Var gates(Context& c, const Var& x) const { return input_(c, x); }
  // What the op `recurrent` needs beside them: a pass forwards from zeros, unless its caller says otherwise.
  RecurrentPass pass(const Var& gates) const {
    RecurrentPass pass;
    pass.gates_x = gates;
    pass.weight = weight_;
    pass.bias = bias_;
    return pass;
  }

 private:
  Linear input_;             // W_ih, b_ih
  const Parameter* weight_;  // W_hh
  const Parameter* bias_;    // b_hh
};

}  // namespace heed
