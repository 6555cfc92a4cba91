// A recurrent decoder's whole teacher-forced pass with additive attention in every step, as one op:
// kernels/attention_decoder.h has the equations and what a step costs. Letters: B sentences, R_t target rows,
// R_s source rows, H width of the state, G gates (GRU 3, LSTM 4), A width of the scores, M width of the
// memory.
#pragma once

#include "heed/autograd/parameter.h"
#include "heed/kernels/recurrent.h"
#include "heed/tensor/layout.h"

namespace heed {

struct AttentionDecoderInputs {
  kernels::Cell cell = kernels::Cell::gru;
  Var gates_x;  // [R_t, GH] the input products of all target rows
  // Conditional: the cell f_1 that reads gates_x and makes the query. Null: attention is asked with the state
  // before the one cell, which reads gates_x and the context (Bahdanau et al. 2015).
  const Parameter* first_weight = nullptr;  // [GH, H]
  const Parameter* first_bias = nullptr;    // [GH]
  const Parameter* query_weight = nullptr;  // [A, H] W_q
  const Parameter* score = nullptr;         // [1, A] v
  Var keys;                                 // [R_s, A] W_k of the memory
  Var memory;                               // [R_s, M]
  Var context_gates;                        // [R_s, GH] W of the memory, by which the context enters the cell
  const Parameter* weight = nullptr;        // [GH, H] of the cell that reads the context
  const Parameter* bias = nullptr;          // [GH]
  Var initial;                              // [B, H] f32 or of the activations' type; none: zeros
  Var initial_cell;                         // [B, H] of an LSTM, or none
};

struct AttentionDecoderStates {
  Var states;      // [R_t, H] after each step
  Var contexts;    // [R_t, M]
  Tensor weights;  // f32, of one sentence after the other [its target rows, its source rows]
};

// Throws Error on shapes that do not fit.
AttentionDecoderStates attention_decoder(Context& c, const AttentionDecoderInputs& in, const Layout& target,
                                         const Layout& source);

}  // namespace heed
