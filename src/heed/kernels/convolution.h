// Depthwise convolution over the positions of ragged sentences. Letters: B sentences, R rows, C columns, K
// taps. T is float or Bf16; weights and their gradient are f32.
#pragma once

#include <cstdint>

#include "heed/kernels/real.h"
#include "heed/tensor/dtype.h"
#include "heed/tensor/thread_pool.h"

namespace heed::kernels {

// y[r, c] = sum_k w[k, c] x[r + k - left, c], over the taps k whose row belongs to r's sentence, in ascending
// order of these rows. Each column is by itself.
template <class T>
struct DepthwiseConvolutionArgs {
  int64_t sentences = 0;
  const int32_t* offsets = nullptr;  // [B+1]
  int64_t width = 0, taps = 0;       // C, K
  int64_t left = 0;                  // rows that the first tap stands before y's
  const Real<T>* weights = nullptr;  // [K, C]
  bool back = false;                 // the gradient: y[r, c] = sum_k w[k, c] x[r - k + left, c]
  const T* x = nullptr;              // [R, C]
  T* y = nullptr;                    // [R, C]
};
void depthwise_convolution(ThreadPool& pool, const DepthwiseConvolutionArgs<float>& args);
void depthwise_convolution(ThreadPool& pool, const DepthwiseConvolutionArgs<Bf16>& args);

// d_weights[k, c] = sum_r dy[r, c] x[r + k - left, c], in ascending r.
template <class T>
struct DepthwiseConvolutionWeightGradientArgs {
  int64_t sentences = 0;
  const int32_t* offsets = nullptr;  // [B+1]
  int64_t width = 0, taps = 0;       // C, K
  int64_t left = 0;
  const T* x = nullptr;          // [R, C]
  const T* dy = nullptr;         // [R, C]
  Real<T>* d_weights = nullptr;  // [K, C], overwritten
};
void depthwise_convolution_weight_gradient(ThreadPool& pool,
                                           const DepthwiseConvolutionWeightGradientArgs<float>& args);
void depthwise_convolution_weight_gradient(ThreadPool& pool,
                                           const DepthwiseConvolutionWeightGradientArgs<Bf16>& args);

}  // namespace heed::kernels
