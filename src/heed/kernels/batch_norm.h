// Batch normalisation (Ioffe & Szegedy 2015, algorithm 1) over the rows of a ragged batch: each column has
// its own statistics, over all rows there are. Letters: R rows, D width. Statistics are sums in f64 over
// ascending rows.
#pragma once

#include <cstdint>

#include "heed/kernels/real.h"
#include "heed/tensor/dtype.h"
#include "heed/tensor/thread_pool.h"

namespace heed::kernels {

// y = gain * (x - mean) / sqrt(variance + epsilon) + bias
template <class T>
struct BatchNormArgs {
  int64_t rows = 0, width = 0;
  const T* x = nullptr;           // [R, D]
  const Real<T>* gain = nullptr;  // [D]
  const Real<T>* bias = nullptr;  // [D]
  float epsilon = 1e-5f;
  bool of_batch = true;     // mean and variance are those of these rows, and are written; else they are read
  Real<T>* mean = nullptr;  // [D]
  Real<T>* variance = nullptr;  // [D], over R, not R - 1
  T* y = nullptr;               // [R, D]
};
void batch_norm(ThreadPool& pool, const BatchNormArgs<float>& args);
void batch_norm(ThreadPool& pool, const BatchNormArgs<Bf16>& args);

template <class T>
struct BatchNormGradientArgs {
  BatchNormArgs<T> forward;   // as the forward pass left it; y is not read
  const T* dy = nullptr;      // [R, D]
  T* dx = nullptr;            // [R, D]
  Real<T>* d_gain = nullptr;  // [D], overwritten
  Real<T>* d_bias = nullptr;  // [D], overwritten
};
void batch_norm_gradient(ThreadPool& pool, const BatchNormGradientArgs<float>& args);
void batch_norm_gradient(ThreadPool& pool, const BatchNormGradientArgs<Bf16>& args);

}  // namespace heed::kernels
