// Matrix products. Letters: R rows of activations, K inner width, N outer width.
//
// Every output element of a product is one sum over k in ascending order (of pairs, or of even and odd k's,
// where the processor multiplies those at once), whatever the number of rows, the threads and the blocking:
// the same bytes alone or in a batch. A weight's gradient is a sum over r in an order that follows from the
// shapes alone: of narrow weights, of up to eight parts of the rows, added up. T is float or Bf16; sums are
// f32 always.
#pragma once

#include <cstddef>
#include <cstdint>

#include "heed/tensor/dtype.h"
#include "heed/tensor/tensor.h"
#include "heed/tensor/thread_pool.h"

namespace heed::kernels {

// The right factor B [K, N] in the order in which the kernels of this processor level stream it. Packed once
// an update, read by many products. For Bf16 products the values are rounded to bf16.
class PackedMatrix {
 public:
  PackedMatrix() = default;
  // B[k, n] = b[k * stride_k + n * stride_n], so that a weight [N, K] packs as itself (strides N, 1 of its
  // transpose) or transposed without a copy. dtype: f32 or bf16, the type of the activations it will meet.
  PackedMatrix(ThreadPool& pool, const float* b, int64_t inner, int64_t outer, int64_t stride_k,
               int64_t stride_n, DType dtype)
      : PackedMatrix(pool, b, inner, outer, stride_k, stride_n, dtype, PackedMatrix()) {}
  // The same in the memory of a spare one, which is wanted no more, where that suffices.
  PackedMatrix(ThreadPool& pool, const float* b, int64_t inner, int64_t outer, int64_t stride_k,
               int64_t stride_n, DType dtype, PackedMatrix spare);

  int64_t inner() const { return inner_; }  // K
  int64_t outer() const { return outer_; }  // N
  DType dtype() const { return dtype_; }
  const std::byte* data() const { return reinterpret_cast<const std::byte*>(data_.data<float>()); }
  bool tiled() const { return tiled_; }  // for matrix units: kernels/cpu/tiles.h, else panels.h
  explicit operator bool() const { return static_cast<bool>(data_); }

 private:
  int64_t inner_ = 0, outer_ = 0;
  DType dtype_ = DType::f32;
  bool tiled_ = false;
  Tensor data_;  // on the heap, of any type: memory
};

// y = act(x B + bias), or y += x B + bias.
template <class T, class Out = T>
struct MatmulArgs {
  const T* x = nullptr;  // [R, K], rows x_stride elements apart
  int64_t x_stride = 0;
  int64_t rows = 0;
  const PackedMatrix* b = nullptr;
  const float* bias = nullptr;  // [N] or null
  bool relu = false;
  bool accumulate = false;  // adds to y what it holds already (before relu)
  Out* y = nullptr;         // [R, N], rows y_stride elements apart
  int64_t y_stride = 0;
};
void matmul(ThreadPool& pool, const MatmulArgs<float>& args);
void matmul(ThreadPool& pool, const MatmulArgs<Bf16>& args);
void matmul(ThreadPool& pool, const MatmulArgs<Bf16, float>& args);

// The gradient of a weight: dw [N, K] = dy^T x, and of its bias: dbias [N] = sum over rows of dy. dw and
// dbias are overwritten, or added to when accumulate. dbias may be null.
template <class T>
struct WeightGradientArgs {
  const T* dy = nullptr;  // [R, N]
  int64_t dy_stride = 0;
  const T* x = nullptr;  // [R, K]
  int64_t x_stride = 0;
  int64_t rows = 0, inner = 0, outer = 0;
  bool accumulate = false;
  float* dw = nullptr;     // [N, K], dense
  float* dbias = nullptr;  // [N]
};
void weight_gradient(ThreadPool& pool, const WeightGradientArgs<float>& args);
void weight_gradient(ThreadPool& pool, const WeightGradientArgs<Bf16>& args);

}  // namespace heed::kernels
