// Attention to a window of the source (Luong et al. 2015, section 3.2). Query i of a sentence of S keys is at
// position t; its window is the keys s with |s - p| <= D around
//   local-m:  p = min(t, S - 1)             weights a_s
//   local-p:  p = S sigmoid(z)   (eq. 9)    weights a_s exp(-(s - p)^2 / (2 (D / 2)^2))   (eq. 10)
// where a is the softmax of the scores within the window; local-m's stays at the last key when the target is
// longer than the source. The window's ends have no gradient. Letters: B sentences, A width of queries and
// keys, M width of the values, D reach.
#pragma once

#include <cstdint>

#include "heed/kernels/real.h"
#include "heed/tensor/dtype.h"
#include "heed/tensor/thread_pool.h"

namespace heed::kernels {

// Sentence b: queries query_offsets[b] .. query_offsets[b + 1], keys and values key_begin[b] .. key_end[b].
template <class T>
struct LocalAttentionArgs {
  int64_t sentences = 0;
  const int32_t* query_offsets = nullptr;  // [B+1]
  const int32_t* key_begin = nullptr;      // [B]
  const int32_t* key_end = nullptr;        // [B]
  const int32_t* positions = nullptr;      // [R_q] t
  int64_t reach = 1;                       // D
  int64_t width = 0, value_width = 0;      // A, M
  const T* q = nullptr;                    // [R_q, A]
  const T* k = nullptr;                    // [R_k, A]
  const T* v = nullptr;                    // [R_k, M]
  int64_t q_stride = 0, k_stride = 0, v_stride = 0;
  const Real<T>* score = nullptr;  // [A]: scores score . tanh(q + k); null: scale q . k
  Real<T> scale = 1;
  const T* places = nullptr;  // [R_q] z of local-p; null: local-m
  T* out = nullptr;           // [R_q, M] dense, or null
  // [B] where a sentence's weights [its queries, its keys] begin, zeros outside of windows; both or neither.
  const int64_t* weight_begin = nullptr;
  Real<T>* weights = nullptr;
};
void local_attention(ThreadPool& pool, const LocalAttentionArgs<float>& args);
void local_attention(ThreadPool& pool, const LocalAttentionArgs<Bf16>& args);

// No two sentences share a key.
template <class T>
struct LocalAttentionGradientArgs {
  LocalAttentionArgs<T> forward;
  const T* d_out = nullptr;  // [R_q, M]
  int64_t d_out_stride = 0;
  T* dq = nullptr;             // [R_q, A] dense
  T* dk = nullptr;             // [R_k, A] dense
  T* dv = nullptr;             // [R_k, M] dense
  T* d_places = nullptr;       // [R_q] with places, else null
  Real<T>* d_score = nullptr;  // [B, A] each sentence's part, with score, else null
};
void local_attention_gradient(ThreadPool& pool, const LocalAttentionGradientArgs<float>& args);
void local_attention_gradient(ThreadPool& pool, const LocalAttentionGradientArgs<Bf16>& args);

}  // namespace heed::kernels
