// A whole recurrent pass over ragged rows as one op: GRU (Cho et al. 2014) and LSTM (Hochreiter & Schmidhuber
// 1997) with PyTorch's conventions. Letters: B sentences, R rows, H width of the state, G gates (GRU 3: r, z,
// n; LSTM 4: i, f, g, o).
//
//   GRU:   r = sigmoid(x_r + h_r)   z = sigmoid(x_z + h_z)   n = tanh(x_n + r * h_n)   h' = (1 - z) n + z h
//   LSTM:  c' = sigmoid(x_f + h_f) c + sigmoid(x_i + h_i) tanh(x_g + h_g)   h' = sigmoid(x_o + h_o) tanh(c')
//   where x_* are columns of gates_x = x W_ih^T + b_ih, and h_* of h W_hh^T + b_hh.
//
// The way of the data: the input products of all steps are one large product, made before (kernels/matmul.h).
// Here sentences are sorted by length and cut into groups of kRecurrentGroup by that alone; a group is one
// piece of work that goes through its steps by itself, so that there is no barrier a step, directions run
// side by side, and bytes depend neither on threads nor on a sentence's company. As sentences end, the group
// shrinks: no row is padding. The state is carried in f32 and rounded to T where it enters a product.
// Costs of a step: 2 H G H operations a row; the weight, G H^2 elements, streams from L2 once for a group's
// rows (GRU of 256 in f32: 0.8 MB); R (G + 1) H elements read and written, or R (G + 6) H, of
// an LSTM R (G + 8) H, when a gradient is wanted. Backward costs the same; the gradients of both weights are
// large products over all rows, afterwards.
#pragma once

#include <cstdint>
#include <span>

#include "heed/kernels/matmul.h"
#include "heed/kernels/real.h"

namespace heed::kernels {

enum class Cell : uint8_t { gru, lstm };
constexpr int64_t gates_of(Cell cell) {
  return cell == Cell::gru ? 3 : 4;
}

inline constexpr int64_t kRecurrentGroup = 16;

template <class T>
struct RecurrentArgs {
  Cell cell = Cell::gru;
  int64_t sentences = 0, width = 0;  // B, H
  const int32_t* offsets = nullptr;  // [B+1]
  bool reverse = false;              // from a sentence's last row to its first
  const T* gates_x = nullptr;        // [R, GH], rows gates_stride apart
  int64_t gates_stride = 0;
  const int32_t* gates_row = nullptr;     // [R] which row of gates_x a row reads; null: its own
  const PackedMatrix* weight = nullptr;   // B [H, GH]: W_hh transposed
  const Real<T>* bias = nullptr;          // [GH] b_hh or null
  const Real<T>* initial = nullptr;       // [B, H] or null: zeros
  const Real<T>* initial_cell = nullptr;  // [B, H] of an LSTM, or null: zeros
  T* h = nullptr;                         // [R, H], rows h_stride apart; null: not wanted
  int64_t h_stride = 0;
  Real<T>* last = nullptr;  // [B, H] the state after the last step (the initial one of an empty sentence)
  Real<T>* last_cell = nullptr;  // [B, H]; both may be null
  // What the gradient needs; all null when none is wanted.
  T* h_previous = nullptr;  // [R, H] the state before each row
  T* saved = nullptr;       // [R, 4H] GRU: r, z, n, h_n; LSTM: i, f, g, o
  T* cells = nullptr;       // [R, 2H] LSTM: c before and after each row
};
// All passes at once: the directions of a layer.
void recurrent(ThreadPool& pool, std::span<const RecurrentArgs<float>> passes);
void recurrent(ThreadPool& pool, std::span<const RecurrentArgs<Bf16>> passes);

// Then dW_ih = d_gates_x^T x and dx = d_gates_x W_ih; dW_hh = d_gates_h^T h_previous and db_hh its column
// sums: weight_gradient over all rows. d_gates_h is d_gates_x but for the n of a GRU, whose part is
// d_candidate.
template <class T>
struct RecurrentGradientArgs {
  RecurrentArgs<T> forward;                   // as the forward pass left it; its weight is not read
  const PackedMatrix* weight_back = nullptr;  // B [GH, H]: W_hh
  const T* d_h = nullptr;                     // [R, H], rows d_h_stride apart; null: zeros
  int64_t d_h_stride = 0;
  const Real<T>* d_last = nullptr;       // [B, H] or null
  const Real<T>* d_last_cell = nullptr;  // [B, H] or null
  T* d_gates_x = nullptr;                // [R, GH] dense
  T* d_candidate = nullptr;              // [R, H] dense, of a GRU: the gradient of h_n; of an LSTM null
  Real<T>* d_initial = nullptr;          // [B, H] or null, overwritten; likewise
  Real<T>* d_initial_cell = nullptr;
};
void recurrent_gradient(ThreadPool& pool, std::span<const RecurrentGradientArgs<float>> passes);
void recurrent_gradient(ThreadPool& pool, std::span<const RecurrentGradientArgs<Bf16>> passes);

}  // namespace heed::kernels
