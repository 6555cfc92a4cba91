#include "heed/kernels/cpu/matmul_tiles.h"

#include <algorithm>
#include <bit>
#include <type_traits>

#include "heed/kernels/cpu/cut.h"
#include "heed/kernels/cpu/product.h"
#include "heed/kernels/cpu/scratch.h"
#include "heed/kernels/cpu/tiles.h"

namespace heed::kernels::cpu {

void pack_weight_tiles(ThreadPool& pool, const float* b, int64_t inner, int64_t outer, int64_t stride_k,
                       int64_t stride_n, Bf16* tiles) {
  const TileKernels& kernels = tile_kernels();
  pool.run(divide_up(outer, kTileColumns), [&](int64_t panel) {
    const int64_t column = panel * kTileColumns, width = std::min(kTileColumns, outer - column);
    const float* const from = b + column * stride_n;
    Bf16* const to = tiles + panel * tile_panel_size(inner);
    if (stride_n == 1) return kernels.interleave_f32(from, stride_k, inner, width, to);
    if (stride_k == 1) return kernels.interleave_columns(from, stride_n, width, inner, to);
    struct Dense {};
    float* const dense = scratch<Dense, float>(inner * kTileColumns);
    for (int64_t k = 0; k < inner; ++k) {
      for (int64_t n = 0; n < width; ++n) dense[k * width + n] = from[k * stride_k + n * stride_n];
    }
    kernels.interleave_f32(dense, width, inner, width, to);
  });
}

template <class Out>
void matmul_tiles(ThreadPool& pool, const MatmulArgs<Bf16, Out>& args) {
  const int64_t inner = args.b->inner(), columns = args.b->outer(), panel = tile_panel_size(inner);
  const auto* tiles = reinterpret_cast<const Bf16*>(args.b->data());
  const TileKernels& kernels = tile_kernels();
  // Every 32 rows of a piece read its part of the weight again: no more than half a megabyte, from L2.
  const int64_t most_columns =
      std::clamp<int64_t>((1 << 18) / std::max<int64_t>(1, inner) / 64 * 64, 64, 512);
  const Cut cut(args.rows, inner, columns, 128, 2 * kTileRows, most_columns);
  pool.run(cut.row_pieces * cut.column_pieces, [&](int64_t piece) {
    const int64_t row = piece / cut.column_pieces * cut.block_rows;
    const int64_t column = piece % cut.column_pieces * cut.block_columns;
    TileProduct product{.rows = std::min(cut.block_rows, args.rows - row),
                        .depth = inner,
                        .columns = std::min(cut.block_columns, columns - column),
                        .a = args.x + row * args.x_stride,
                        .a_stride = args.x_stride,
                        .b = tiles + column / kTileColumns * panel,
                        .b_panel_stride = panel,
                        .bias = args.bias != nullptr ? args.bias + column : nullptr,
                        .accumulate = args.accumulate,
                        .relu = args.relu,
                        .c_stride = args.y_stride};
    Out* const y = args.y + row * args.y_stride + column;
    if constexpr (std::is_same_v<Out, float>) {
      product.c = y;
    } else {
      product.c_bf16 = y;
    }
    kernels.multiply(product);
  });
}

namespace {

// Both factors of dy^T x are made from rows: a chunk of them, dy transposed and x interleaved. A chunk of 32
// columns of dy, transposed, fits L1.
constexpr int64_t kChunk = 512;

// dy^T x of some rows by one thread, all of it: what fits L2. Sums [N, K] and column sums [N], overwritten
// unless accumulate.
void narrow_weight_gradient(const WeightGradientArgs<Bf16>& args, int64_t begin, int64_t end, bool accumulate,
                            float* dw, float* dbias) {
  struct Left {};
  struct Right {};
  const TileKernels& kernels = tile_kernels();
  Bf16* const left = scratch<Left, Bf16>(tiled_size(kChunk, args.outer));
  Bf16* const right = scratch<Right, Bf16>(tiled_size(kChunk, args.inner));
  if (dbias != nullptr && !accumulate) std::fill_n(dbias, args.outer, 0.0f);
  for (int64_t first = begin; first == begin || first < end; first += kChunk) {
    const int64_t rows = std::min(kChunk, end - first);
    const Bf16* const dy = args.dy + first * args.dy_stride;
    kernels.transpose(dy, args.dy_stride, rows, args.outer, left);
    kernels.interleave(args.x + first * args.x_stride, args.x_stride, rows, args.inner, right);
    if (dbias != nullptr) add_rows(dy, args.dy_stride, rows, args.outer, dbias);
    kernels.multiply({.rows = args.outer,
                      .depth = rows,
                      .columns = args.inner,
                      .a = left,
                      .b = right,
                      .b_panel_stride = tile_panel_size(rows),
                      .accumulate = accumulate || first > begin,
                      .c = dw,
                      .c_stride = args.inner});
  }
}

// Narrow weights: the rows in up to eight parts, each a piece with sums of its own, which are then added up.
// A piece needs no other until then, where slices of so small a weight would wait for each other at every
// chunk.
void weight_gradient_by_rows(ThreadPool& pool, const WeightGradientArgs<Bf16>& args) {
  constexpr int64_t kLeastRows = 128, kMostParts = 8, kAddedTogether = 4096;
  const int64_t size = args.outer * args.inner, sums = size + args.outer;
  const auto wanted = static_cast<uint64_t>(args.rows / kLeastRows);
  const int64_t parts = std::min<int64_t>(kMostParts, static_cast<int64_t>(std::bit_ceil(wanted)));
  const int64_t part_rows = divide_up(divide_up(args.rows, parts), kTileDepth) * kTileDepth;
  struct Sums {};
  float* const others = scratch<Sums, float>(std::max<int64_t>(1, (parts - 1) * sums));
  pool.run(parts, [&](int64_t part) {
    const int64_t begin = std::min(args.rows, part * part_rows), end = std::min(args.rows, begin + part_rows);
    if (part == 0) return narrow_weight_gradient(args, begin, end, args.accumulate, args.dw, args.dbias);
    float* const own = others + (part - 1) * sums;
    narrow_weight_gradient(args, begin, end, false, own, args.dbias != nullptr ? own + size : nullptr);
  });
  if (parts == 1) return;
  pool.run_ranges(size, kAddedTogether, [&](int64_t begin, int64_t end) {
    for (int64_t part = 1; part < parts; ++part) {
      add_rows(others + (part - 1) * sums + begin, 0, 1, end - begin, args.dw + begin);
    }
  });
  for (int64_t part = 1; part < parts && args.dbias != nullptr; ++part) {
    add_rows(others + (part - 1) * sums + size, 0, 1, args.outer, args.dbias);
  }
}

// Wide weights: by chunks of rows, whose factors all threads make and then share; each piece adds its slice_n
// x slice_k of dy^T x to dw.
void weight_gradient_by_slices(ThreadPool& pool, const WeightGradientArgs<Bf16>& args) {
  constexpr int64_t kSliceN = 128, kSliceK = 256;
  const TileKernels& kernels = tile_kernels();
  const int64_t groups_n = divide_up(args.outer, kTileColumns),
                groups_k = divide_up(args.inner, kTileColumns);
  const int64_t slices_n = divide_up(args.outer, kSliceN), slices_k = divide_up(args.inner, kSliceK);
  struct Left {};
  struct Right {};
  Bf16* const left = scratch<Left, Bf16>(groups_n * tile_panel_size(kChunk));
  Bf16* const right = scratch<Right, Bf16>(groups_k * tile_panel_size(kChunk));
  for (int64_t begin = 0; begin == 0 || begin < args.rows; begin += kChunk) {
    const int64_t rows = std::min(kChunk, args.rows - begin), group_size = tile_panel_size(rows);
    pool.run(groups_n + groups_k, [&](int64_t group) {
      if (group < groups_n) {
        const int64_t n = group * kTileColumns, width = std::min(kTileColumns, args.outer - n);
        const Bf16* const dy = args.dy + begin * args.dy_stride + n;
        kernels.transpose(dy, args.dy_stride, rows, width, left + group * group_size);
        if (args.dbias == nullptr) return;
        if (begin == 0 && !args.accumulate) std::fill_n(args.dbias + n, width, 0.0f);
        add_rows(dy, args.dy_stride, rows, width, args.dbias + n);
      } else {
        const int64_t k = (group - groups_n) * kTileColumns;
        kernels.interleave(args.x + begin * args.x_stride + k, args.x_stride, rows,
                           std::min(kTileColumns, args.inner - k), right + (group - groups_n) * group_size);
      }
    });
    pool.run(slices_n * slices_k, [&](int64_t piece) {
      const int64_t n = piece % slices_n * kSliceN, k = piece / slices_n * kSliceK;
      kernels.multiply({.rows = std::min(kSliceN, args.outer - n),
                        .depth = rows,
                        .columns = std::min(kSliceK, args.inner - k),
                        .a = left + n / kTileColumns * group_size,
                        .b = right + k / kTileColumns * group_size,
                        .b_panel_stride = group_size,
                        .accumulate = args.accumulate || begin > 0,
                        .c = args.dw + n * args.inner + k,
                        .c_stride = args.inner});
    });
  }
}

}  // namespace

void weight_gradient_tiles(ThreadPool& pool, const WeightGradientArgs<Bf16>& args) {
  constexpr int64_t kNarrow = 512 * 256;
  if (args.outer * args.inner < kNarrow) {
    weight_gradient_by_rows(pool, args);
  } else {
    weight_gradient_by_slices(pool, args);
  }
}

template void matmul_tiles(ThreadPool&, const MatmulArgs<Bf16>&);
template void matmul_tiles(ThreadPool&, const MatmulArgs<Bf16, float>&);

}  // namespace heed::kernels::cpu
