#include "heed/kernels/matmul.h"

#include <algorithm>
#include <new>

#include "heed/base/error.h"
#include "heed/kernels/cpu/panels.h"
#include "heed/kernels/reference/matmul.h"

namespace heed::kernels {
namespace {

std::shared_ptr<std::byte> allocate_aligned(int64_t bytes) {
  constexpr std::align_val_t kAlignment{64};
  auto* data = static_cast<std::byte*>(::operator new(static_cast<size_t>(bytes), kAlignment));
  return {data, [](std::byte* p) { ::operator delete(p, kAlignment); }};
}

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
  const auto* panels = reinterpret_cast<const float*>(b.data());
  const int64_t first = args.column_begin / cpu::kPanelWidth;
  const int64_t last = (end + cpu::kPanelWidth - 1) / cpu::kPanelWidth;
  pool.run(last - first, [&](int64_t piece) {
    const int64_t column = (first + piece) * cpu::kPanelWidth;
    reference::matmul<T, Out, float>({.rows = args.rows,
                                      .inner = b.inner(),
                                      .outer = std::min(cpu::kPanelWidth, end - column),
                                      .x = args.x,
                                      .x_stride = args.x_stride,
                                      .b = panels + column * b.inner(),
                                      .b_stride_k = cpu::kPanelWidth,
                                      .b_stride_n = 1,
                                      .bias = args.bias != nullptr ? args.bias + column : nullptr,
                                      .relu = args.relu,
                                      .accumulate = args.accumulate,
                                      .y = args.y + column,
                                      .y_stride = args.y_stride});
  });
}

template <class T>
void weight_gradient_of(ThreadPool& pool, const WeightGradientArgs<T>& args) {
  pool.run_ranges(args.outer, 16, [&](int64_t begin, int64_t end) {
    reference::weight_gradient<T>({.rows = args.rows,
                                   .inner = args.inner,
                                   .outer = end - begin,
                                   .dy = args.dy + begin,
                                   .dy_stride = args.dy_stride,
                                   .x = args.x,
                                   .x_stride = args.x_stride,
                                   .accumulate = args.accumulate,
                                   .dw = args.dw + begin * args.inner,
                                   .dbias = args.dbias != nullptr ? args.dbias + begin : nullptr});
  });
}

}  // namespace

PackedMatrix::PackedMatrix(ThreadPool& pool, const float* b, int64_t inner, int64_t outer, int64_t stride_k,
                           int64_t stride_n, DType dtype)
    : inner_(inner), outer_(outer), dtype_(dtype) {
  require(inner >= 0 && outer >= 0, "packed matrix: {} x {}", inner, outer);
  require(dtype != DType::i32, "packed matrix: a product of {} is not supported", name_of(dtype));
  const int64_t panels = (outer + cpu::kPanelWidth - 1) / cpu::kPanelWidth;
  data_ = allocate_aligned(std::max<int64_t>(1, panels * cpu::kPanelWidth * inner) * 4);
  pool.run(panels, [&](int64_t panel) {
    const int64_t column = panel * cpu::kPanelWidth;
    float* out = reinterpret_cast<float*>(data_.get()) + column * inner;
    for (int64_t k = 0; k < inner; ++k) {
      for (int64_t n = 0; n < cpu::kPanelWidth; ++n, ++out) {
        const float value = column + n < outer ? b[k * stride_k + (column + n) * stride_n] : 0.0f;
        *out = dtype == DType::bf16 ? float(Bf16(value)) : value;
      }
    }
  });
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
  weight_gradient_of(pool, args);
}
void weight_gradient(ThreadPool& pool, const WeightGradientArgs<Bf16>& args) {
  weight_gradient_of(pool, args);
}

}  // namespace heed::kernels
