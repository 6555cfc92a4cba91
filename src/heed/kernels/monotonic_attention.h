// Monotonic attention (Raffel, Luong, Liu, Weiss & Eck 2017, "Online and Linear-Time Attention by Enforcing
// Monotonic Alignments") of ragged queries over ragged keys. The energy of query i and key j is  e_ij = scale
// q_i . k_j + r, or  v . tanh(q_i + k_j) + r  (eq. 16, where v is normalised besides). Letters: B sentences,
// R_q query rows, R_k key rows, Q width of queries and keys, M width of the values.
#pragma once

#include <cstdint>

#include "heed/kernels/real.h"
#include "heed/tensor/dtype.h"
#include "heed/tensor/thread_pool.h"

namespace heed::kernels {

template <class T>
struct MonotonicAttentionArgs {
  int64_t sentences = 0;
  const int32_t* query_offsets = nullptr;  // [B+1]
  const int32_t* key_begin = nullptr;      // [B] a sentence's keys and values: rows key_begin .. key_end
  const int32_t* key_end = nullptr;        // [B]
  int64_t width = 0, value_width = 0;      // Q, M
  const Real<T>* score = nullptr;          // [Q] v of additive energies; null: products,
  float scale = 1.0f;                      // times this
  const Real<T>* offset = nullptr;         // r, a single number
  const T* q = nullptr;                    // [R_q, Q], rows q_stride apart; likewise k and v
  const T* k = nullptr;
  const T* v = nullptr;
  int64_t q_stride = 0, k_stride = 0, v_stride = 0;
  T* out = nullptr;  // [R_q, M] dense

  // Expected alignment: where a sentence's numbers [its queries, its keys] begin, and the numbers.
  const int64_t* weight_begin = nullptr;  // [B]
  Real<T>* chosen = nullptr;   // p_ij = sigmoid(e_ij + noise_ij), what a key is chosen with once reached
  Real<T>* weights = nullptr;  // alpha_ij, eq. 14: the probability that query i attends to key j
  float noise = 0.0f;          // its standard deviation
  uint64_t noise_key = 0;
  const uint64_t* query_row_keys = nullptr;  // [R_q]
  const Real<T>* before = nullptr;  // [R_k] alpha_0, of the query before these; null: all on the first key
  Real<T>* after = nullptr;         // [R_k] alpha of the last query, before's of a sentence without one

  // Hard alignment: the key from which a sentence's queries go on, from 0; left where the last one arrived.
  // Past the last key: nothing was found, and nothing will be.
  int32_t* attended = nullptr;  // [B]
  int32_t* found = nullptr;     // [R_q] the key that each query chose, in its sentence; -1: none. May be null
};

// c_i = sum_j alpha_ij v_j with alpha_ij = p_ij q_ij, q_ij = (1 - p_i,j-1) q_i,j-1 + alpha_i-1,j.
void expected_monotonic_attention(ThreadPool& pool, const MonotonicAttentionArgs<float>& args);
void expected_monotonic_attention(ThreadPool& pool, const MonotonicAttentionArgs<Bf16>& args);

// c_i = v_j of the first key j, from the one before on, whose energy is not negative; zeros if there is none.
void hard_monotonic_attention(ThreadPool& pool, const MonotonicAttentionArgs<float>& args);
void hard_monotonic_attention(ThreadPool& pool, const MonotonicAttentionArgs<Bf16>& args);

// Of the expected alignment.
template <class T>
struct MonotonicAttentionGradientArgs {
  MonotonicAttentionArgs<T> forward;  // as the forward pass left it; out is not read
  const T* d_out = nullptr;           // [R_q, M] dense; null: zeros
  const Real<T>* d_after = nullptr;   // [R_k]; null: zeros
  T* dq = nullptr;                    // [R_q, Q] dense
  T* dk = nullptr;                    // [R_k, Q] dense
  T* dv = nullptr;                    // [R_k, M] dense
  Real<T>* d_before = nullptr;        // [R_k], or null
  Real<T>* d_score = nullptr;         // [B, Q] each sentence's part, with score, else null
  Real<T>* d_offset = nullptr;        // [B] each sentence's part
};
void monotonic_attention_gradient(ThreadPool& pool, const MonotonicAttentionGradientArgs<float>& args);
void monotonic_attention_gradient(ThreadPool& pool, const MonotonicAttentionGradientArgs<Bf16>& args);

}  // namespace heed::kernels
