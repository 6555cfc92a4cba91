// A whole recurrent pass, GRU or LSTM, over ragged rows: kernels/recurrent.h has the equations. Letters: B
// sentences, R rows, H width of the state, G gates (GRU 3, LSTM 4).
#pragma once

#include <memory>
#include <vector>

#include "heed/autograd/parameter.h"
#include "heed/kernels/recurrent.h"
#include "heed/tensor/layout.h"

namespace heed {

// One direction of a layer. Initial states are f32 or of the activations' type; none: zeros.
struct RecurrentPass {
  Var gates_x;                        // [R, GH] x W_ih^T + b_ih of all rows, or [U, GH] with gates_row
  const Parameter* weight = nullptr;  // [GH, H] W_hh
  const Parameter* bias = nullptr;    // [GH] b_hh
  bool reverse = false;               // from a sentence's last row to its first
  Var initial;                        // [B, H] or none
  Var initial_cell;                   // [B, H] of an LSTM, or none
  // [R] which row of gates_x each row reads, where several rows read the same (a word that occurs again);
  // none: each its own.
  std::shared_ptr<const std::vector<int32_t>> gates_row = {};
};

struct RecurrentStates {
  Var rows;                    // [R, passes * H], the passes side by side
  std::vector<Var> last;       // of each pass [B, H] f32, after its last step; the initial one of an empty
  std::vector<Var> last_cell;  // sentence. Of an LSTM, else empty
};

// Throws Error on shapes that do not fit.
RecurrentStates recurrent(Context& c, kernels::Cell cell, const std::vector<RecurrentPass>& passes,
                          const Layout& layout);

}  // namespace heed
