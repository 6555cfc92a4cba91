// A recurrent decoder's whole teacher-forced pass with additive attention in every step: Bahdanau et al.
// 2015, and the conditional GRU (Firat & Cho 2016). Letters: B sentences, R_t target rows, R_s source rows, H
// width of the state, G gates, A width of the scores, M width of the memory.
//
//   conditional:  s = f_1(h, y_t)   q = W_q s   a = softmax(v . tanh(q + k_i))   h' = f_2(s, a C)
//   before:                         q = W_q h   the same                         h' = f(h, y_t + a C)
//
// The way of the data. The context c = sum of a_i m_i enters the cell through W c alone, and W c = sum of a_i
// W m_i: so W of the memory (C, [R_s, GH]) is made before, a large product once a sentence as the keys are,
// and a step has no product of the context. y_t are the input products of all target rows. What is left in a
// step, for one row: products of H by GH (f_1), A + GH (q and f_2, of one input); S (12 A + 2 GH) operations
// of attention; GRU of 256 and scores of 256: 0.92 MFLOP and, for S = 14, 0.06. Bytes: the weights stream
// from L2 or L3 once a group of kRecurrentGroup rows (1.8 MB in f32), keys and C of each sentence once a
// step.
// A group of sentences, sorted by length, is a piece that goes through all its steps alone and shrinks as
// they end: no barrier, no padding, bytes that depend on no other sentence. The contexts themselves, which
// the output layer reads, are made after the last step, a sentence at a time while its memory is in L1.
// Backward computes tanh once more from the saved q (cheaper than S A numbers a row), adds up the keys'
// gradient in the steps, those of memory and C after them from a and what the gates got; gradients of weights
// are large products over all rows (weight_gradient).
#pragma once

#include <cstdint>

#include "heed/kernels/recurrent.h"

namespace heed::kernels {

template <class T>
struct AttentionDecoderArgs {
  // The cell that reads the context. Before: gates_x are y_t. Conditional: it has none, and h_previous are
  // the states s. cell.last and cell.last_cell are left alone.
  RecurrentArgs<T> cell;
  const RecurrentArgs<T>* first = nullptr;   // conditional: f_1, gates_x y_t, h null; else null
  const int32_t* key_offsets = nullptr;      // [B+1]
  int64_t score_width = 0, value_width = 0;  // A, M
  const PackedMatrix* query = nullptr;       // B [H, A]: W_q transposed
  const Real<T>* score = nullptr;            // [A] v
  const T* keys = nullptr;                   // [R_s, A]
  const T* context_gates = nullptr;          // [R_s, GH] C
  const T* values = nullptr;                 // [R_s, M] the memory
  int64_t key_stride = 0, context_gates_stride = 0, value_stride = 0;
  const int64_t* weight_begin = nullptr;  // [B] where a sentence's weights [T, S] begin
  Real<T>* weights = nullptr;
  T* contexts = nullptr;       // [R_t, M] dense
  Real<T>* queries = nullptr;  // [R_t, A] for the gradient, or null
};
void attention_decoder(ThreadPool& pool, const AttentionDecoderArgs<float>& args);
void attention_decoder(ThreadPool& pool, const AttentionDecoderArgs<Bf16>& args);

// Afterwards dW_q = d_queries^T x, where x are the states that q is made of, and the gradients of the cells'
// weights as in recurrent.h.
template <class T>
struct AttentionDecoderGradientArgs {
  AttentionDecoderArgs<T> forward;                  // as the forward pass left it; its weights are not read
  RecurrentGradientArgs<T> cell;                    // of forward.cell, with d_h, the states' gradient
  const RecurrentGradientArgs<T>* first = nullptr;  // of forward.first; d_h null
  const PackedMatrix* query_back = nullptr;         // B [A, H]: W_q
  const T* d_contexts = nullptr;                    // [R_t, M], rows d_contexts_stride apart; null: zeros
  int64_t d_contexts_stride = 0;
  Real<T>* d_weights = nullptr;   // room for as many as weights
  T* d_queries = nullptr;         // [R_t, A]
  Real<T>* d_key_sums = nullptr;  // [R_s, A] room for d_keys in f32; may be the same
  T* d_keys = nullptr;            // [R_s, A]
  T* d_context_gates = nullptr;   // [R_s, GH]
  T* d_values = nullptr;          // [R_s, M]
  Real<T>* d_score = nullptr;     // [B, A] each sentence's part
  Real<T>* d_initial = nullptr;   // [B, H] or null
  Real<T>* d_initial_cell = nullptr;
};
void attention_decoder_gradient(ThreadPool& pool, const AttentionDecoderGradientArgs<float>& args);
void attention_decoder_gradient(ThreadPool& pool, const AttentionDecoderGradientArgs<Bf16>& args);

}  // namespace heed::kernels
