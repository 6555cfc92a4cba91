// Multi-head scaled dot-product attention over ragged rows (Vaswani et al. 2017, eq. 1). The weights are
// never stored: memory grows linearly with length. Letters: H heads, d head width, D = H d; query rows R_q,
// key rows R_k. Keys are taken in blocks that start at the sentence's first key; a query's result depends on
// its own sentence alone, byte for byte.
#pragma once

#include <cstdint>

#include "heed/kernels/dropout.h"
#include "heed/kernels/guide.h"
#include "heed/kernels/real.h"
#include "heed/tensor/dtype.h"
#include "heed/tensor/thread_pool.h"

namespace heed::kernels {

template <class T>
struct AttentionArgs {
  int64_t sentences = 0;
  const int32_t* query_offsets = nullptr;  // [B+1]
  const int32_t* key_offsets = nullptr;    // [B+1]
  int64_t heads = 0, head_width = 0;
  float scale = 1.0f;   // 1/sqrt(d), or 1
  bool causal = false;  // query t sees keys 0..t (queries and keys then have the same layout)
  Dropout dropout{};    // of the weights; head h uses the key mix64(dropout.key, h), column = key position
  const uint64_t* query_row_keys = nullptr;  // [R_q]
  const T* q = nullptr;  // [R_q, D], rows q_stride apart (a slice of a wider product); likewise k and v
  const T* k = nullptr;
  const T* v = nullptr;
  int64_t q_stride = 0, k_stride = 0, v_stride = 0;
  T* out = nullptr;  // [R_q, D], rows out_stride apart; for a query without any key: zeros
  int64_t out_stride = 0;
  Real<T>* log_sum = nullptr;  // [R_q, H] log of the sum of exp(score): what the gradient needs; may be null
  Guide guide{};
  // [R_q, H] of each query, with a guide: 1/N sum over keys n of weight W_n, the weights being those before
  // dropout; zeros for heads that are not guided.
  Real<T>* guided = nullptr;
};
void attention(ThreadPool& pool, const AttentionArgs<float>& args);
void attention(ThreadPool& pool, const AttentionArgs<Bf16>& args);

// The gradient; dq, dk, dv are overwritten (rows with their own strides, as q, k, v).
template <class T>
struct AttentionGradientArgs {
  AttentionArgs<T> forward;  // out, log_sum and guided as the forward pass left them
  const T* d_out = nullptr;  // [R_q, D]
  int64_t d_out_stride = 0;
  const Real<T>* d_guided = nullptr;  // [R_q, H]; null: no gradient reached it
  T* dq = nullptr;
  T* dk = nullptr;
  T* dv = nullptr;
  int64_t dq_stride = 0, dk_stride = 0, dv_stride = 0;
};
void attention_gradient(ThreadPool& pool, const AttentionGradientArgs<float>& args);
void attention_gradient(ThreadPool& pool, const AttentionGradientArgs<Bf16>& args);

// One query a row against its own list of cached keys: decoding. Query r sees the cache rows
// rows[row_offsets[r]] .. rows[row_offsets[r+1]], or, when `rows` is null, the rows
// first[r] .. first[r] + row_offsets[r+1] - row_offsets[r] themselves (several beams share a sentence's
// memory).
template <class T>
struct AttentionStepArgs {
  int64_t queries = 0;
  const int32_t* row_offsets = nullptr;  // [queries + 1]
  const int32_t* rows = nullptr;
  const int32_t* first = nullptr;
  int64_t heads = 0, head_width = 0;
  float scale = 1.0f;
  const T* q = nullptr;  // [queries, D]
  const T* k = nullptr;  // cache, rows k_stride apart
  const T* v = nullptr;
  int64_t q_stride = 0, k_stride = 0, v_stride = 0;
  T* out = nullptr;  // [queries, D]
  int64_t out_stride = 0;
};
void attention_step(ThreadPool& pool, const AttentionStepArgs<float>& args);
void attention_step(ThreadPool& pool, const AttentionStepArgs<Bf16>& args);

// The weights themselves, before dropout: for pictures, so that there is no fast version.
template <class T>
struct AttentionWeightsArgs {
  int64_t sentences = 0;
  const int32_t* query_offsets = nullptr;  // [B+1]
  const int32_t* key_offsets = nullptr;    // [B+1]
  int64_t heads = 0, head_width = 0;
  float scale = 1.0f;
  bool causal = false;
  const T* q = nullptr;  // [R_q, D]
  const T* k = nullptr;  // [R_k, D]
  int64_t q_stride = 0, k_stride = 0;
  Real<T>* const* weights = nullptr;  // of each sentence [H, T, S], zeros so far: those of unseen keys stay
};
void attention_weights(ThreadPool& pool, const AttentionWeightsArgs<float>& args);
void attention_weights(ThreadPool& pool, const AttentionWeightsArgs<Bf16>& args);

}  // namespace heed::kernels
