#include "heed/kernels/matmul.h"

#include <algorithm>
#include <type_traits>

#include "heed/base/error.h"
#include "heed/kernels/cpu/cut.h"
#include "heed/kernels/cpu/matmul_panels.h"
#include "heed/kernels/cpu/matmul_tiles.h"
#include "heed/kernels/cpu/panels.h"
#include "heed/kernels/cpu/tiles.h"

namespace heed::kernels {
namespace {

using cpu::divide_up;

template <class T, class Out>
void matmul_of(ThreadPool& pool, const MatmulArgs<T, Out>& args) {
  require(args.b != nullptr && *args.b, "matmul: the right factor is not packed");
  const PackedMatrix& b = *args.b;
  require(b.dtype() == dtype_of<T>, "matmul: the weight is packed for {}, the rows are {}",
          name_of(b.dtype()), name_of(dtype_of<T>));
  if constexpr (std::is_same_v<T, Bf16>) {
    if (b.tiled()) return cpu::matmul_tiles(pool, args);
  }
  cpu::matmul_panels(pool, args);
}

}  // namespace

PackedMatrix::PackedMatrix(ThreadPool& pool, const float* b, int64_t inner, int64_t outer, int64_t stride_k,
                           int64_t stride_n, DType dtype, PackedMatrix spare)
    : inner_(inner), outer_(outer), dtype_(dtype), tiled_(dtype == DType::bf16 && cpu::tiles_in_use()) {
  require(inner >= 0 && outer >= 0, "packed matrix: {} x {}", inner, outer);
  const int64_t columns = divide_up(outer, cpu::kPanelWidth) * cpu::kPanelWidth;
  const int64_t floats = tiled_ ? divide_up(cpu::tiled_size(inner, outer), 2) : columns * inner;
  if (spare && spare.data_.size() >= floats && !spare.data_.shares_storage_with_others()) {
    data_ = std::move(spare.data_);
  } else {
    spare = {};  // before there is a new one
    data_ = Tensor::empty(Shape{floats});
  }
  auto* const to = data_.data<float>();
  if (tiled_) {
    cpu::pack_weight_tiles(pool, b, inner, outer, stride_k, stride_n, reinterpret_cast<Bf16*>(to));
  } else {
    cpu::pack_weight_panels(pool, b, inner, outer, stride_k, stride_n, dtype, to);
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
