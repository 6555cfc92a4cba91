#include "heed/kernels/cpu/product.h"

#include <algorithm>
#include <cstring>

#include "heed/kernels/cpu/constant.h"

#define HWY_TARGET_INCLUDE "heed/kernels/cpu/product.cc"
#include "heed/kernels/cpu/simd.h"

// After highway.h.
#include "heed/kernels/cpu/simd_memory-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels::cpu::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, kPanelWidth>;
using V = hn::Vec<D>;
constexpr int kLanes = static_cast<int>(hn::MaxLanes(D()));
constexpr int kVectors = kPanelWidth / kLanes;  // of a panel

// A tile is kTileRows rows by tile_panels(rows) panels: as many accumulators as hide the latency of a
// multiply-add and fit the registers. Few rows take more panels at once.
constexpr int kTileRows = HWY_TARGET == HWY_EMU128 || HWY_TARGET == HWY_SCALAR ? 2 : 6;
constexpr int tile_panels(int rows) {
  if (kVectors == 1) return rows <= 2 ? 8 : 4;
  if (kVectors == 2) return rows == 1 ? 4 : rows <= 3 ? 2 : 1;
  return 1;
}

// B's panels of one tile stay in L1 over all rows: 16 to 32 KB.
constexpr int64_t kDepthBlock = kVectors == 1 ? 128 : 256;

struct Tile {
  const float* a;
  int64_t a_stride;  // of rows, or of k
  const float* b;
  int64_t b_panel_stride;
  int64_t depth;
  const float* bias;
  bool accumulate, relu;
  float* c;
  int64_t c_stride;
};

template <int kRows, int kPanels, bool kRowsContiguous>
HWY_INLINE void multiply_tile(const Tile& tile) {
  const D d;
  constexpr int kWide = kPanels * kVectors;
  V sum[kRows][kWide];
#pragma GCC unroll 8
  for (int j = 0; j < kWide; ++j) {
    const V start = tile.bias != nullptr ? hn::LoadU(d, tile.bias + j * kLanes) : hn::Zero(d);
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
      sum[i][j] = start;
      if (tile.accumulate) sum[i][j] = hn::Add(start, hn::LoadU(d, tile.c + i * tile.c_stride + j * kLanes));
    }
  }
  const float* a = tile.a;
  const float* b = tile.b;
  const int64_t a_stride = tile.a_stride, panel_stride = tile.b_panel_stride;
  for (int64_t k = tile.depth; k > 0; --k) {
    V right[kWide];
#pragma GCC unroll 8
    for (int j = 0; j < kWide; ++j) {
      right[j] = hn::Load(d, b + (j / kVectors) * panel_stride + (j % kVectors) * kLanes);
    }
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
      const V left = hn::Set(d, a[kRowsContiguous ? i : i * a_stride]);
#pragma GCC unroll 8
      for (int j = 0; j < kWide; ++j) sum[i][j] = hn::MulAdd(left, right[j], sum[i][j]);
    }
    a += kRowsContiguous ? a_stride : 1;
    b += kPanelWidth;
  }
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
    for (int j = 0; j < kWide; ++j) {
      V value = sum[i][j];
      if (tile.relu) value = hn::IfThenZeroElse(hn::Lt(value, hn::Zero(d)), value);  // keeps NaN
      hn::StoreU(value, d, tile.c + i * tile.c_stride + j * kLanes);
    }
  }
}

// The last panel when it is not whole: by way of a tile of its own.
template <int kRows, bool kRowsContiguous>
HWY_NOINLINE void multiply_narrow(Tile tile, int64_t columns) {
  alignas(64) float c[kRows * kPanelWidth] = {}, bias[kPanelWidth] = {};
  float* const target = tile.c;
  const int64_t target_stride = tile.c_stride;
  for (int64_t i = 0; i < kRows && tile.accumulate; ++i) {
    std::copy_n(target + i * target_stride, columns, c + i * kPanelWidth);
  }
  if (tile.bias != nullptr) {
    std::copy_n(tile.bias, columns, bias);
    tile.bias = bias;
  }
  tile.c = c;
  tile.c_stride = kPanelWidth;
  multiply_tile<kRows, 1, kRowsContiguous>(tile);
  for (int64_t i = 0; i < kRows; ++i) std::copy_n(c + i * kPanelWidth, columns, target + i * target_stride);
}

// One group of panels against all rows, cut into tiles of nearly the same height.
template <int kPanels, bool kRowsContiguous>
void multiply_group(const Product& p, Tile tile, int64_t columns) {
  const int64_t tiles = (p.rows + kTileRows - 1) / kTileRows;
  for (int64_t t = 0; t < tiles; ++t) {
    const int64_t begin = p.rows * t / tiles, end = p.rows * (t + 1) / tiles;
    Tile part = tile;
    part.a = tile.a + begin * p.a_row_stride;
    part.c = tile.c + begin * p.c_stride;
    with_constant<kTileRows>(end - begin, [&]<int kRows>() HWY_ATTR {
      if constexpr (kPanels == 1) {
        if (columns < kPanelWidth) return multiply_narrow<kRows, kRowsContiguous>(part, columns);
      }
      multiply_tile<kRows, kPanels, kRowsContiguous>(part);
    });
  }
}

// Groups of kPanels panels, then of half as many, down to single ones.
template <int kPanels, bool kRowsContiguous>
void multiply_groups(const Product& p, Tile tile, int64_t column) {
  for (; column + kPanels * kPanelWidth <= p.columns; column += kPanels * kPanelWidth) {
    Tile part = tile;
    part.b = tile.b + column / kPanelWidth * p.b_panel_stride;
    part.bias = tile.bias != nullptr ? tile.bias + column : nullptr;
    part.c = tile.c + column;
    multiply_group<kPanels, kRowsContiguous>(p, part, kPanelWidth);
  }
  if (column == p.columns) return;
  if constexpr (kPanels > 1) {
    multiply_groups<kPanels / 2, kRowsContiguous>(p, tile, column);
  } else {
    tile.b += column / kPanelWidth * p.b_panel_stride;
    if (tile.bias != nullptr) tile.bias += column;
    tile.c += column;
    multiply_group<1, kRowsContiguous>(p, tile, p.columns - column);
  }
}

template <bool kRowsContiguous>
void multiply_block(const Product& p, const Tile& tile) {
  constexpr int kFew = tile_panels(1), kSome = tile_panels(2), kMany = tile_panels(kTileRows);
  if (p.rows == 1) return multiply_groups<kFew, kRowsContiguous>(p, tile, 0);
  if (p.rows <= 3) return multiply_groups<kSome, kRowsContiguous>(p, tile, 0);
  multiply_groups<kMany, kRowsContiguous>(p, tile, 0);
}

void multiply_here(const Product& p) {
  const int64_t block = p.rows <= kTileRows ? std::max<int64_t>(1, p.depth) : kDepthBlock;
  for (int64_t k = 0; k == 0 || k < p.depth; k += block) {
    const int64_t depth = std::min(block, p.depth - k);
    const bool first = k == 0, last = k + depth == p.depth;
    const Tile tile{.a = p.a + k * p.a_k_stride,
                    .a_stride = p.a_row_stride == 1 ? p.a_k_stride : p.a_row_stride,
                    .b = p.b + k * kPanelWidth,
                    .b_panel_stride = p.b_panel_stride,
                    .depth = depth,
                    .bias = first ? p.bias : nullptr,
                    .accumulate = !first || p.accumulate,
                    .relu = last && p.relu,
                    .c = p.c,
                    .c_stride = p.c_stride};
    if (p.a_row_stride == 1) {
      multiply_block<true>(p, tile);
    } else {
      multiply_block<false>(p, tile);
    }
  }
}

template <class From, class To>
void convert_rows_here(const From* from, int64_t from_stride, int64_t rows, int64_t columns, To* to,
                       int64_t to_stride) {
  const D d;
  for (int64_t r = 0; r < rows; ++r, from += from_stride, to += to_stride) {
    int64_t c = 0;
    for (; c + kLanes <= columns; c += kLanes) store(d, load(d, from + c), to + c);
    if (c < columns) store_some(d, load_some(d, from + c, columns - c), to + c, columns - c);
  }
}

void widen_rows(const Bf16* from, int64_t from_stride, int64_t rows, int64_t columns, float* to,
                int64_t to_stride) {
  convert_rows_here(from, from_stride, rows, columns, to, to_stride);
}
void narrow_rows(const float* from, int64_t from_stride, int64_t rows, int64_t columns, Bf16* to,
                 int64_t to_stride) {
  convert_rows_here(from, from_stride, rows, columns, to, to_stride);
}
void copy_rows(const float* from, int64_t from_stride, int64_t rows, int64_t columns, float* to,
               int64_t to_stride) {
  convert_rows_here(from, from_stride, rows, columns, to, to_stride);
}

// Four panels at a time, so that whole runs of cache lines are read.
template <class T>
void pack_here(const T* from, int64_t stride, int64_t rows, int64_t columns, float* to) {
  constexpr int64_t kTogether = 4;
  const D d;
  int64_t column = 0;
  for (; column + kTogether * kPanelWidth <= columns; column += kTogether * kPanelWidth) {
    float* const out = to + column * rows;
    for (int64_t r = 0; r < rows; ++r) {
      const T* const row = from + r * stride + column;
#pragma GCC unroll 4
      for (int64_t p = 0; p < kTogether; ++p) {
#pragma GCC unroll 4
        for (int64_t j = 0; j < kPanelWidth; j += kLanes) {
          store(d, load(d, row + p * kPanelWidth + j), out + (p * rows + r) * kPanelWidth + j);
        }
      }
    }
  }
  for (; column < columns; column += kPanelWidth) {
    const int64_t width = std::min(kPanelWidth, columns - column);
    float* const out = to + column * rows;
    if (width < kPanelWidth) std::fill_n(out, rows * kPanelWidth, 0.0f);
    convert_rows_here(from + column, stride, rows, width, out, kPanelWidth);
  }
}
void pack_f32_panels(const float* from, int64_t stride, int64_t rows, int64_t columns, float* to) {
  pack_here(from, stride, rows, columns, to);
}
void pack_bf16_panels(const Bf16* from, int64_t stride, int64_t rows, int64_t columns, float* to) {
  pack_here(from, stride, rows, columns, to);
}

// By squares of four by four, which registers turn over.
void pack_rows_here(const float* from, int64_t stride, int64_t inner, int64_t width, float* to) {
#if HWY_TARGET == HWY_SCALAR
  constexpr int64_t turned = 0, n_turned = 0;  // k and columns that squares reach
#else
  const hn::CappedTag<float, 4> d;
  const int64_t turned = inner / 4 * 4, n_turned = width / 4 * 4;
  for (int64_t k = 0; k < turned; k += 4) {
    for (int64_t n = 0; n < n_turned; n += 4) {
      const float* const square = from + n * stride + k;
      const auto a = hn::LoadU(d, square), b = hn::LoadU(d, square + stride);
      const auto e = hn::LoadU(d, square + 2 * stride), f = hn::LoadU(d, square + 3 * stride);
      const auto ae = hn::InterleaveLower(d, a, e), bf = hn::InterleaveLower(d, b, f);
      const auto ae2 = hn::InterleaveUpper(d, a, e), bf2 = hn::InterleaveUpper(d, b, f);
      float* const out = to + k * kPanelWidth + n;
      hn::StoreU(hn::InterleaveLower(d, ae, bf), d, out);
      hn::StoreU(hn::InterleaveUpper(d, ae, bf), d, out + kPanelWidth);
      hn::StoreU(hn::InterleaveLower(d, ae2, bf2), d, out + 2 * kPanelWidth);
      hn::StoreU(hn::InterleaveUpper(d, ae2, bf2), d, out + 3 * kPanelWidth);
    }
  }
#endif
  for (int64_t k = 0; k < inner; ++k) {
    for (int64_t n = k < turned ? n_turned : 0; n < width; ++n)
      to[k * kPanelWidth + n] = from[n * stride + k];
    std::fill_n(to + k * kPanelWidth + width, kPanelWidth - width, 0.0f);
  }
}

// The sums of kVectorsAtOnce vectors stay in registers over all rows. Returns the column after the last done.
template <int kVectorsAtOnce, class T>
HWY_INLINE int64_t add_columns(const T* from, int64_t stride, int64_t rows, int64_t column, int64_t columns,
                               float* sums) {
  const D d;
  for (; column + kVectorsAtOnce * kLanes <= columns; column += kVectorsAtOnce * kLanes) {
    V sum[kVectorsAtOnce];
#pragma GCC unroll 8
    for (int j = 0; j < kVectorsAtOnce; ++j) sum[j] = load(d, sums + column + j * kLanes);
    const T* row = from + column;
    for (int64_t r = 0; r < rows; ++r, row += stride) {
#pragma GCC unroll 8
      for (int j = 0; j < kVectorsAtOnce; ++j) sum[j] = hn::Add(sum[j], load(d, row + j * kLanes));
    }
#pragma GCC unroll 8
    for (int j = 0; j < kVectorsAtOnce; ++j) store(d, sum[j], sums + column + j * kLanes);
  }
  return column;
}

template <class T>
void add_rows_here(const T* from, int64_t stride, int64_t rows, int64_t columns, float* sums) {
  int64_t column = add_columns<8>(from, stride, rows, 0, columns, sums);
  column = add_columns<4>(from, stride, rows, column, columns, sums);
  column = add_columns<2>(from, stride, rows, column, columns, sums);
  column = add_columns<1>(from, stride, rows, column, columns, sums);
  for (; column < columns; ++column) {
    float sum = sums[column];
    for (int64_t r = 0; r < rows; ++r) sum += static_cast<float>(from[r * stride + column]);
    sums[column] = sum;
  }
}
void add_f32_rows(const float* from, int64_t stride, int64_t rows, int64_t columns, float* sums) {
  add_rows_here(from, stride, rows, columns, sums);
}
void add_bf16_rows(const Bf16* from, int64_t stride, int64_t rows, int64_t columns, float* sums) {
  add_rows_here(from, stride, rows, columns, sums);
}

int64_t peak_multiply_adds_here(int64_t rounds, float* sink) {
  const D d;
  constexpr int kChains = 12;
  V sum[kChains];
  for (V& s : sum) s = hn::Zero(d);
  const V a = hn::Set(d, sink[0]), b = hn::Set(d, sink[1]);
  for (int64_t round = 0; round < rounds; ++round) {
#pragma GCC unroll 12
    for (V& s : sum) s = hn::MulAdd(a, b, s);
  }
  for (int i = 1; i < kChains; ++i) sum[0] = hn::Add(sum[0], sum[i]);
  sink[2] = hn::GetLane(sum[0]);
  return rounds * kChains * kLanes;
}

}  // namespace
}  // namespace heed::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::kernels::cpu {
namespace {
HWY_EXPORT(multiply_here);
HWY_EXPORT(pack_f32_panels);
HWY_EXPORT(pack_bf16_panels);
HWY_EXPORT(pack_rows_here);
HWY_EXPORT(widen_rows);
HWY_EXPORT(narrow_rows);
HWY_EXPORT(copy_rows);
HWY_EXPORT(add_f32_rows);
HWY_EXPORT(add_bf16_rows);
HWY_EXPORT(peak_multiply_adds_here);
}  // namespace

void multiply(const Product& product) {
  HEED_DISPATCH(multiply_here)(product);
}

void pack_panels(const float* from, int64_t stride, int64_t rows, int64_t columns, float* to) {
  HEED_DISPATCH(pack_f32_panels)(from, stride, rows, columns, to);
}
void pack_panels(const Bf16* from, int64_t stride, int64_t rows, int64_t columns, float* to) {
  HEED_DISPATCH(pack_bf16_panels)(from, stride, rows, columns, to);
}

void pack_rows(const float* from, int64_t stride, int64_t inner, int64_t width, float* to) {
  HEED_DISPATCH(pack_rows_here)(from, stride, inner, width, to);
}

void convert_rows(const Bf16* from, int64_t from_stride, int64_t rows, int64_t columns, float* to,
                  int64_t to_stride) {
  HEED_DISPATCH(widen_rows)(from, from_stride, rows, columns, to, to_stride);
}
void convert_rows(const float* from, int64_t from_stride, int64_t rows, int64_t columns, Bf16* to,
                  int64_t to_stride) {
  HEED_DISPATCH(narrow_rows)(from, from_stride, rows, columns, to, to_stride);
}
void convert_rows(const float* from, int64_t from_stride, int64_t rows, int64_t columns, float* to,
                  int64_t to_stride) {
  HEED_DISPATCH(copy_rows)(from, from_stride, rows, columns, to, to_stride);
}

void add_rows(const float* from, int64_t stride, int64_t rows, int64_t columns, float* sums) {
  HEED_DISPATCH(add_f32_rows)(from, stride, rows, columns, sums);
}
void add_rows(const Bf16* from, int64_t stride, int64_t rows, int64_t columns, float* sums) {
  HEED_DISPATCH(add_bf16_rows)(from, stride, rows, columns, sums);
}

int64_t peak_multiply_adds(int64_t rounds, float* sink) {
  return HEED_DISPATCH(peak_multiply_adds_here)(rounds, sink);
}

}  // namespace heed::kernels::cpu
#endif
