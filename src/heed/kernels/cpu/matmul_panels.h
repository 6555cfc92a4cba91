// matmul and weight_gradient in f32 arithmetic, over panels; Bf16 numbers are widened block by block.
#pragma once

#include "heed/kernels/matmul.h"

namespace heed::kernels::cpu {

// B [K, N] into panels; see PackedMatrix.
void pack_weight_panels(ThreadPool& pool, const float* b, int64_t inner, int64_t outer, int64_t stride_k,
                        int64_t stride_n, DType dtype, float* panels);

// args.b holds panels.
template <class T, class Out>
void matmul_panels(ThreadPool& pool, const MatmulArgs<T, Out>& args);

template <class T>
void weight_gradient_panels(ThreadPool& pool, const WeightGradientArgs<T>& args);

}  // namespace heed::kernels::cpu
