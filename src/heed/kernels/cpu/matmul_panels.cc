#include "heed/kernels/cpu/matmul_panels.h"

#include <algorithm>
#include <type_traits>

#include "heed/kernels/cpu/cut.h"
#include "heed/kernels/cpu/product.h"
#include "heed/kernels/cpu/scratch.h"

namespace heed::kernels::cpu {
namespace {

// One panel of which neither rows nor columns lie close together: by squares, which stay in L1.
void pack_columns(const float* from, int64_t stride_k, int64_t stride_n, int64_t inner, int64_t width,
                  float* to) {
  for (int64_t k0 = 0; k0 < inner; k0 += kPanelWidth) {
    const int64_t end = std::min(inner, k0 + kPanelWidth);
    for (int64_t n = 0; n < width; ++n) {
      for (int64_t k = k0; k < end; ++k) to[k * kPanelWidth + n] = from[k * stride_k + n * stride_n];
    }
    for (int64_t k = k0; k < end; ++k) std::fill_n(to + k * kPanelWidth + width, kPanelWidth - width, 0.0f);
  }
}

}  // namespace

void pack_weight_panels(ThreadPool& pool, const float* b, int64_t inner, int64_t outer, int64_t stride_k,
                        int64_t stride_n, DType dtype, float* panels) {
  pool.run(divide_up(outer, kPanelWidth), [&](int64_t panel) {
    const int64_t column = panel * kPanelWidth, width = std::min(kPanelWidth, outer - column);
    float* const to = panels + column * inner;
    const float* const from = b + column * stride_n;
    if (stride_n == 1) {
      pack_panels(from, stride_k, inner, width, to);
    } else if (stride_k == 1) {
      pack_rows(from, stride_n, inner, width, to);
    } else {
      pack_columns(from, stride_k, stride_n, inner, width, to);
    }
    if (dtype != DType::bf16) return;
    for (int64_t i = 0; i < inner * kPanelWidth; ++i) to[i] = static_cast<float>(Bf16(to[i]));
  });
}

template <class T, class Out>
void matmul_panels(ThreadPool& pool, const MatmulArgs<T, Out>& args) {
  const int64_t inner = args.b->inner(), columns = args.b->outer();
  const auto* panels = reinterpret_cast<const float*>(args.b->data());
  const Cut cut(args.rows, inner, columns, 96, 1);
  pool.run(cut.row_pieces * cut.column_pieces, [&](int64_t piece) {
    const int64_t row = piece / cut.column_pieces * cut.block_rows;
    const int64_t column = piece % cut.column_pieces * cut.block_columns;
    Product product{.rows = std::min(cut.block_rows, args.rows - row),
                    .depth = inner,
                    .columns = std::min(cut.block_columns, columns - column),
                    .a_row_stride = args.x_stride,
                    .b = panels + column * inner,
                    .b_panel_stride = inner * kPanelWidth,
                    .bias = args.bias != nullptr ? args.bias + column : nullptr,
                    .accumulate = args.accumulate,
                    .relu = args.relu,
                    .c_stride = args.y_stride};
    const T* const x = args.x + row * args.x_stride;
    Out* const y = args.y + row * args.y_stride + column;
    if constexpr (std::is_same_v<T, float>) {
      product.a = x;
    } else {
      struct Rows {};
      float* const wide = scratch<Rows, float>(product.rows * inner);
      convert_rows(x, args.x_stride, product.rows, inner, wide, inner);
      product.a = wide;
      product.a_row_stride = inner;
    }
    if constexpr (std::is_same_v<Out, float>) {
      product.c = y;
      multiply(product);
    } else {
      struct Sums {};
      product.c = scratch<Sums, float>(product.rows * product.columns);
      product.c_stride = product.columns;
      if (args.accumulate) {
        convert_rows(y, args.y_stride, product.rows, product.columns, product.c, product.columns);
      }
      multiply(product);
      convert_rows(product.c, product.columns, product.rows, product.columns, y, args.y_stride);
    }
  });
}

template <class T>
void weight_gradient_panels(ThreadPool& pool, const WeightGradientArgs<T>& args) {
  // By chunks of rows: first x goes into panels and dy into slices of columns, then each piece adds its
  // slice_n x slice_k of dy^T x to dw. The order of a sum is that of the rows, whatever the pieces.
  // A slice's rows lie an odd number of cache lines apart: at a power of two, those of a tile would share few
  // sets of L1 and drive each other out.
  constexpr int64_t kChunk = 1024, kSliceN = 128, kSliceStride = 144, kGroupK = 64, kEnoughPieces = 16;
  const int64_t slices_n = divide_up(args.outer, kSliceN), groups_k = divide_up(args.inner, kGroupK);
  const int64_t wanted = divide_up(args.inner * slices_n, kEnoughPieces);
  const int64_t slice_k = divide_up(std::clamp<int64_t>(wanted, 1, 256), 32) * 32;
  // Narrow f32 rows lie close enough together to be used where they are.
  constexpr int64_t kNarrow = 384;
  const bool copies = !std::is_same_v<T, float> || args.dy_stride > kNarrow;
  struct Left {};
  struct Right {};
  float* const copy = copies ? scratch<Left, float>(kChunk * slices_n * kSliceStride) : nullptr;
  float* const right = scratch<Right, float>(kChunk * groups_k * kGroupK);
  for (int64_t begin = 0; begin == 0 || begin < args.rows; begin += kChunk) {
    const int64_t rows = std::min(kChunk, args.rows - begin);
    pool.run(slices_n + groups_k, [&](int64_t task) {
      if (task < slices_n) {
        const int64_t n = task * kSliceN, width = std::min(kSliceN, args.outer - n);
        const T* const dy = args.dy + begin * args.dy_stride + n;
        if (copies)
          convert_rows(dy, args.dy_stride, rows, width, copy + task * rows * kSliceStride, kSliceStride);
        if (args.dbias == nullptr) return;
        if (begin == 0 && !args.accumulate) std::fill_n(args.dbias + n, width, 0.0f);
        add_rows(dy, args.dy_stride, rows, width, args.dbias + n);
      } else {
        const int64_t k = (task - slices_n) * kGroupK;
        pack_panels(args.x + begin * args.x_stride + k, args.x_stride, rows,
                    std::min(kGroupK, args.inner - k), right + k * rows);
      }
    });
    pool.run(slices_n * divide_up(args.inner, slice_k), [&](int64_t piece) {
      const int64_t n = piece % slices_n * kSliceN, k = piece / slices_n * slice_k;
      Product product{.rows = std::min(kSliceN, args.outer - n),
                      .depth = rows,
                      .columns = std::min(slice_k, args.inner - k),
                      .a_row_stride = 1,
                      .b = right + k * rows,
                      .b_panel_stride = rows * kPanelWidth,
                      .accumulate = args.accumulate || begin > 0,
                      .c = args.dw + n * args.inner + k,
                      .c_stride = args.inner};
      if (copies) {
        product.a = copy + piece % slices_n * rows * kSliceStride;
        product.a_k_stride = kSliceStride;
      } else if constexpr (std::is_same_v<T, float>) {
        product.a = args.dy + begin * args.dy_stride + n;
        product.a_k_stride = args.dy_stride;
      }
      multiply(product);
    });
  }
}

template void matmul_panels(ThreadPool&, const MatmulArgs<float>&);
template void matmul_panels(ThreadPool&, const MatmulArgs<Bf16>&);
template void matmul_panels(ThreadPool&, const MatmulArgs<Bf16, float>&);
template void weight_gradient_panels(ThreadPool&, const WeightGradientArgs<float>&);
template void weight_gradient_panels(ThreadPool&, const WeightGradientArgs<Bf16>&);

}  // namespace heed::kernels::cpu
