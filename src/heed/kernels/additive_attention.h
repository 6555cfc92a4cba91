// Additive attention (Bahdanau et al. 2015, A.1.2) of ragged queries over ragged keys. The score of query i
// and key s is  v . tanh(q_i + k_s),  both already projected. Letters: B sentences, A width of the scores, M
// width of the values.
#pragma once

#include <cstdint>

#include "heed/kernels/guide.h"
#include "heed/kernels/real.h"
#include "heed/tensor/dtype.h"
#include "heed/tensor/thread_pool.h"

namespace heed::kernels {

// Sentence b: queries query_offsets[b] .. query_offsets[b + 1] see keys and values key_begin[b] ..
// key_end[b].
template <class T>
struct AdditiveAttentionArgs {
  int64_t sentences = 0;
  const int32_t* query_offsets = nullptr;  // [B+1]
  const int32_t* key_begin = nullptr;      // [B]
  const int32_t* key_end = nullptr;        // [B]
  int64_t width = 0, value_width = 0;      // A, M
  const T* q = nullptr;                    // [R_q, A]
  const T* k = nullptr;                    // [R_k, A]
  const T* v = nullptr;                    // [R_k, M]
  int64_t q_stride = 0, k_stride = 0, v_stride = 0;
  const Real<T>* score = nullptr;         // [A] the vector v of the formula
  const int64_t* weight_begin = nullptr;  // [B] where a sentence's weights [its queries, its keys] begin
  Real<T>* weights = nullptr;             // softmax of the scores; always wanted
  T* out = nullptr;                       // [R_q, M] dense; null: only the weights
  Guide guide{};
  Real<T>* guided = nullptr;  // [R_q], with a guide: 1/N sum over keys n of weight W_n
};
void additive_attention(ThreadPool& pool, const AdditiveAttentionArgs<float>& args);
void additive_attention(ThreadPool& pool, const AdditiveAttentionArgs<Bf16>& args);

// No two sentences share a key.
template <class T>
struct AdditiveAttentionGradientArgs {
  AdditiveAttentionArgs<T> forward;  // as the forward pass left it
  const T* d_out = nullptr;          // [R_q, M]
  int64_t d_out_stride = 0;
  const Real<T>* d_guided = nullptr;  // [R_q]; null: no gradient reached it
  T* dq = nullptr;                    // [R_q, A] dense
  T* dk = nullptr;                    // [R_k, A] dense
  T* dv = nullptr;                    // [R_k, M] dense
  Real<T>* d_score = nullptr;         // [B, A] each sentence's part
};
void additive_attention_gradient(ThreadPool& pool, const AdditiveAttentionGradientArgs<float>& args);
void additive_attention_gradient(ThreadPool& pool, const AdditiveAttentionGradientArgs<Bf16>& args);

}  // namespace heed::kernels
