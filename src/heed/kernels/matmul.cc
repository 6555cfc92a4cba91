#include "heed/kernels/matmul.h"

#include <algorithm>
#include <type_traits>

#include "heed/base/error.h"
#include "heed/kernels/cpu/matmul_panels.h"
#include "heed/kernels/cpu/matmul_tiles.h"
#include "heed/kernels/cpu/panels.h"
#include "heed/kernels/cpu/scratch.h"
#include "heed/kernels/cpu/tiles.h"

namespace heed::kernels {
namespace {

template <class T, class Out>
void matmul_of(ThreadPool& pool, const MatmulArgs<T, Out>& args) {
  require(args.b != nullptr && *args.b, "matmul: the right factor is not packed");
  const PackedMatrix& b = *args.b;
  require(b.dtype() == dtype_of<T>, "matmul: the weight is packed for {}, the rows are {}",
          name_of(b.dtype()), name_of(dtype_of<T>));
  const int64_t end = args.column_end < 0 ? b.outer() : args.column_end;
  require(args.column_begin % 64 == 0 && args.column_begin <= end && end <= b.outer(),
          "matmul: columns {} to {} of {}; they must begin at a multiple of 64", args.column_begin, end,
          b.outer());
  if constexpr (std::is_same_v<T, Bf16>) {
    if (b.tiled()) return cpu::matmul_tiles(pool, args, args.column_begin, end);
  }
  cpu::matmul_panels(pool, args, args.column_begin, end);
}

}  // namespace

PackedMatrix::PackedMatrix(ThreadPool& pool, const float* b, int64_t inner, int64_t outer, int64_t stride_k,
                           int64_t stride_n, DType dtype)
    : inner_(inner), outer_(outer), dtype_(dtype) {
  require(inner >= 0 && outer >= 0, "packed matrix: {} x {}", inner, outer);
  require(dtype != DType::i32, "packed matrix: a product of {} is not supported", name_of(dtype));
  if (dtype == DType::bf16 && cpu::tiles_in_use()) {
    tiled_ = true;
    data_ = cpu::allocate_aligned(std::max<int64_t>(1, cpu::tiled_size(inner, outer)) * 2);
    cpu::pack_weight_tiles(pool, b, inner, outer, stride_k, stride_n, reinterpret_cast<Bf16*>(data_.get()));
  } else {
    const int64_t columns = (outer + cpu::kPanelWidth - 1) / cpu::kPanelWidth * cpu::kPanelWidth;
    data_ = cpu::allocate_aligned(std::max<int64_t>(1, columns * inner) * 4);
    cpu::pack_weight_panels(pool, b, inner, outer, stride_k, stride_n, dtype,
                            reinterpret_cast<float*>(data_.get()));
  }
}

void matmul(ThreadPool& pool, const MatmulArgs<float>& args) {
  matmul_of(pool, args);
}
void matmul(ThreadPool& pool, const MatmulArgs<Bf16>& args) {
  matmul_of(pool, args);
}
void matmul(ThreadPool& pool, const MatmulArgs<Bf16, float>& args) {
  matmul_of(pool, args);
}

void weight_gradient(ThreadPool& pool, const WeightGradientArgs<float>& args) {
  cpu::weight_gradient_panels(pool, args);
}
void weight_gradient(ThreadPool& pool, const WeightGradientArgs<Bf16>& args) {
  if (cpu::tiles_in_use()) return cpu::weight_gradient_tiles(pool, args);
  cpu::weight_gradient_panels(pool, args);
}

}  // namespace heed::kernels
