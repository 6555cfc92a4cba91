// The output layer with what follows it: softmax, loss and gradient in one pass over blocks of rows (the
// logits of a block stay in cache, those of a batch are never stored), and top-k for search. Letters: R rows,
// D width, V words.
#pragma once

#include <cstdint>

#include "heed/kernels/matmul.h"

namespace heed::kernels {

// loss[r] = -(1 - smoothing) log p(target) - smoothing / V * sum over words of log p(word)  (Szegedy et al.
// 2016)
template <class T>
struct OutputLossArgs {
  int64_t rows = 0, width = 0, words = 0;
  const T* x = nullptr;                       // [R, D]
  const PackedMatrix* weight = nullptr;       // B [D, V]: logits = x B + bias
  const PackedMatrix* weight_back = nullptr;  // B [V, D], only when dx is wanted
  const float* bias = nullptr;                // [V] or null
  const int32_t* targets = nullptr;           // [R], each in [0, V): the caller has checked
  float smoothing = 0.0f;
  float* loss = nullptr;      // [R]
  float* log_prob = nullptr;  // [R] log p(target), or null
  // The gradient of the sum of loss over rows; all null when none is wanted.
  T* dx = nullptr;           // [R, D]
  float* dweight = nullptr;  // [V, D], overwritten
  float* dbias = nullptr;    // [V], overwritten, or null
};
void output_loss(ThreadPool& pool, const OutputLossArgs<float>& args);
void output_loss(ThreadPool& pool, const OutputLossArgs<Bf16>& args);

// The k best words of each row with their log-probabilities, best first; ties go to the smaller id.
template <class T>
struct OutputTopKArgs {
  int64_t rows = 0, width = 0, words = 0;
  const T* x = nullptr;
  const PackedMatrix* weight = nullptr;
  const float* bias = nullptr;
  const float* row_bias = nullptr;  // [R, V] added to the log-probabilities (-inf forbids a word), or null
  int64_t k = 1;                    // at most V
  int32_t* ids = nullptr;           // [R, k]
  float* log_probs = nullptr;       // [R, k]
};
void output_top_k(ThreadPool& pool, const OutputTopKArgs<float>& args);
void output_top_k(ThreadPool& pool, const OutputTopKArgs<Bf16>& args);

// log_probs [R, V], all of them: sampling, pictures, tests.
template <class T>
struct OutputLogProbsArgs {
  int64_t rows = 0, width = 0, words = 0;
  const T* x = nullptr;
  const PackedMatrix* weight = nullptr;
  const float* bias = nullptr;
  float* log_probs = nullptr;
};
void output_log_probs(ThreadPool& pool, const OutputLogProbsArgs<float>& args);
void output_log_probs(ThreadPool& pool, const OutputLogProbsArgs<Bf16>& args);

}  // namespace heed::kernels
