// Recurrent layers. Letters: B sentences, R rows, U rows that differ, K inner width, H width of the state, M
// width of a layer (H, or 2H of one that reads both ways), G gates (GRU 3, LSTM 4).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "heed/nn/linear.h"
#include "heed/ops/recurrent.h"

namespace heed {

// One direction of one layer: GRU (Cho et al. 2014) or LSTM (Hochreiter & Schmidhuber 1997);
// kernels/recurrent.h has the equations.
class Recurrent {
 public:
  Recurrent(ParameterStore& store, const std::string& name, kernels::Cell cell, int64_t in, int64_t width)
      : input_(store, name + ".input", in, kernels::gates_of(cell) * width,
               LinearOptions{.joined = kernels::gates_of(cell)}),
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

struct RecurrentLayerOptions {
  kernels::Cell cell = kernels::Cell::gru;
  int64_t in = 0, width = 0;  // K, H
  bool bidirectional = false;
};

// A layer that reads forwards, or both ways, its two states side by side (Schuster & Paliwal 1997).
class RecurrentLayer {
 public:
  RecurrentLayer(ParameterStore& store, const std::string& name, const RecurrentLayerOptions& options)
      : cell_(options.cell) {
    directions_.emplace_back(store, name + ".forward", options.cell, options.in, options.width);
    if (options.bidirectional)
      directions_.emplace_back(store, name + ".backward", options.cell, options.in, options.width);
  }

  // x [R, K] -> rows [R, M]. With `row_of` [R] x is [U, K] and says only once what several rows read: row r
  // reads row_of[r].
  RecurrentStates operator()(Context& c, const Var& x, const Layout& layout,
                             const std::shared_ptr<const std::vector<int32_t>>& row_of = {}) const {
    std::vector<RecurrentPass> passes;
    for (const Recurrent& direction : directions_) {
      passes.push_back(direction.pass(direction.gates(c, x)));
      passes.back().gates_row = row_of;
      passes.back().reverse = passes.size() == 2;
    }
    return recurrent(c, cell_, passes, layout);
  }

 private:
  kernels::Cell cell_;
  std::vector<Recurrent> directions_;
};

}  // namespace heed
