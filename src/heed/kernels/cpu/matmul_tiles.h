// matmul and weight_gradient of Bf16 on matrix units, over tiles.
#pragma once

#include "heed/kernels/matmul.h"

namespace heed::kernels::cpu {

// B [K, N] into tiles; see PackedMatrix and tiles.h.
void pack_weight_tiles(ThreadPool& pool, const float* b, int64_t inner, int64_t outer, int64_t stride_k,
                       int64_t stride_n, Bf16* tiles);

// args.b holds tiles.
template <class Out>
void matmul_tiles(ThreadPool& pool, const MatmulArgs<Bf16, Out>& args);

void weight_gradient_tiles(ThreadPool& pool, const WeightGradientArgs<Bf16>& args);

}  // namespace heed::kernels::cpu
