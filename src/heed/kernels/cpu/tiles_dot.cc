// Products of Bf16 by dot products of pairs (AVX512-BF16), where no matrix unit is: the factors lie as
// tiles.h has them, the sums of a block stay in registers over the whole depth. Compiled for that processor
// alone.
#include <algorithm>
#include <cstring>

#include "heed/kernels/cpu/constant.h"
#include "heed/kernels/cpu/tiles.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#include <immintrin.h>

#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")
#define HEED_TILES_FOR_AVX512_BF16 1
#include "heed/kernels/cpu/tile_packing-inl.h"
#undef HEED_TILES_FOR_AVX512_BF16

namespace heed::kernels::cpu {
namespace {

constexpr int64_t kLanes = 16;  // sums in a vector; a panel is two vectors wide

// Some rows of A against some panels of B.
struct Block {
  const Bf16* a;
  int64_t a_row;   // elements from a row to the next
  int64_t a_step;  // from 32 k's to the next
  const Bf16* b;
  int64_t row, column;  // in C
};

// Here and below intrinsics have a mask since g++ 12 warns of its own without one.
__m512 load_sums(const TileProduct& p, int64_t at, __mmask16 wanted) {
  if (p.c != nullptr) return _mm512_maskz_loadu_ps(wanted, p.c + at);
  const __m256i narrow = _mm256_maskz_loadu_epi16(wanted, p.c_bf16 + at);
  return _mm512_castsi512_ps(
      _mm512_maskz_slli_epi32(wanted, _mm512_maskz_cvtepu16_epi32(wanted, narrow), 16));
}

// ReLU keeps NaN and -0: of two zeros, and where one is NaN, the maximum is its second operand.
void store_sums(const TileProduct& p, int64_t at, __mmask16 wanted, __m512 sums) {
  if (p.relu) sums = _mm512_mask_max_ps(sums, wanted, _mm512_setzero_ps(), sums);
  if (p.c != nullptr) return _mm512_mask_storeu_ps(p.c + at, wanted, sums);
  const __m256bh narrow = _mm512_cvtneps_pbh(sums);
  __m256i bits;
  std::memcpy(&bits, &narrow, sizeof(bits));
  _mm256_mask_storeu_epi16(p.c_bf16 + at, wanted, bits);
}

// A pair of k's, in all lanes.
__m512bh broadcast(const Bf16* pair) {
  int32_t bits;
  std::memcpy(&bits, pair, sizeof(bits));
  return reinterpret_cast<__m512bh>(_mm512_set1_epi32(bits));
}

template <int kRows, int kVectors>
using Sums = __m512[kRows][kVectors];

// Adds kPairs pairs of k's; the last one's second half counts as zero where kHalf.
template <int kRows, int kPanels, bool kHalf = false>
[[gnu::always_inline]] inline void add_pairs(const Bf16* a, int64_t a_row, const Bf16* b, int64_t b_panel,
                                             int64_t pairs, Sums<kRows, 2 * kPanels>& sums) {
#pragma GCC unroll 2
  for (int64_t pair = 0; pair < pairs; ++pair, a += 2, b += kTileDepth) {
    __m512bh right[2 * kPanels];
#pragma GCC unroll 8
    for (int j = 0; j < 2 * kPanels; ++j) {
      std::memcpy(&right[j], b + j / 2 * b_panel + j % 2 * kTileSize, sizeof(right[j]));
    }
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
      const Bf16 half[2] = {kHalf ? a[i * a_row] : Bf16(), Bf16()};
      const __m512bh left = broadcast(kHalf ? half : a + i * a_row);
#pragma GCC unroll 8
      for (int j = 0; j < 2 * kPanels; ++j) sums[i][j] = _mm512_dpbf16_ps(sums[i][j], left, right[j]);
    }
  }
}

template <int kRows, int kPanels>
void multiply_block(const TileProduct& p, const Block& block) {
  constexpr int kVectors = 2 * kPanels;
  const int64_t columns = p.columns - block.column;
  const auto wanted = [columns](int vector) {
    const int64_t left = columns - vector * kLanes;
    return static_cast<__mmask16>(left >= kLanes ? 0xFFFF : left <= 0 ? 0 : (1 << left) - 1);
  };
  const int64_t c = block.row * p.c_stride + block.column;
  Sums<kRows, kVectors> sums;
#pragma GCC unroll 8
  for (int j = 0; j < kVectors; ++j) {
    const __m512 start = p.bias == nullptr
                             ? _mm512_setzero_ps()
                             : _mm512_maskz_loadu_ps(wanted(j), p.bias + block.column + j * kLanes);
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
      sums[i][j] = start;
      if (p.accumulate) sums[i][j] += load_sums(p, c + i * p.c_stride + j * kLanes, wanted(j));
    }
  }
  const Bf16 *a = block.a, *b = block.b;
  int64_t k = 0;
  for (; k + kTileDepth <= p.depth; k += kTileDepth, a += block.a_step, b += 2 * kTileSize) {
    add_pairs<kRows, kPanels>(a, block.a_row, b, p.b_panel_stride, kTileDepth / 2, sums);
  }
  const int64_t pairs = (p.depth - k) / 2;
  if (pairs > 0) add_pairs<kRows, kPanels>(a, block.a_row, b, p.b_panel_stride, pairs, sums);
  if (p.depth % 2 != 0) {
    add_pairs<kRows, kPanels, true>(a + 2 * pairs, block.a_row, b + pairs * kTileDepth, p.b_panel_stride, 1,
                                    sums);
  }
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
    for (int j = 0; j < kVectors; ++j) {
      store_sums(p, c + i * p.c_stride + j * kLanes, wanted(j), sums[i][j]);
    }
  }
}

// All rows against kPanels panels, 16 rows at a time, since those of a transposed left factor lie so, and at
// most kMost at once: their sums fill the registers.
template <int kPanels, int kMost>
void multiply_rows(const TileProduct& p, int64_t column) {
  const int64_t blocks = tile_blocks(p.depth);
  Block block{.a = nullptr,
              .a_row = p.a_stride == 0 ? kTileDepth : p.a_stride,
              .a_step = p.a_stride == 0 ? kTileSize : kTileDepth,
              .b = p.b + column / kTileColumns * p.b_panel_stride,
              .row = 0,
              .column = column};
  for (int64_t first = 0; first < p.rows; first += kTileRows) {
    const int64_t rows = std::min(kTileRows, p.rows - first), parts = (rows + kMost - 1) / kMost;
    const Bf16* const a = p.a + (p.a_stride == 0 ? first * blocks * kTileDepth : first * p.a_stride);
    for (int64_t part = 0; part < parts; ++part) {
      const int64_t begin = rows * part / parts, end = rows * (part + 1) / parts;
      block.a = a + begin * block.a_row;
      block.row = first + begin;
      with_constant<kMost>(end - begin, [&]<int kRows>() { multiply_block<kRows, kPanels>(p, block); });
    }
  }
}

void multiply_dots(const TileProduct& p) {
  int64_t column = 0;
  if (p.rows <= 3) {
    for (; column + 3 * kTileColumns < p.columns; column += 4 * kTileColumns) multiply_rows<4, 3>(p, column);
  }
  for (; column + kTileColumns < p.columns; column += 2 * kTileColumns) multiply_rows<2, 6>(p, column);
  if (column < p.columns) multiply_rows<1, 6>(p, column);
}

constexpr TileKernels kDotKernels{multiply_dots, interleave_rows<Bf16>, interleave_rows<float>,
                                  interleave_columns, transpose_rows};

}  // namespace
}  // namespace heed::kernels::cpu
#pragma GCC pop_options

namespace heed::kernels::cpu {
const TileKernels* dot_tile_kernels() {
  return &kDotKernels;
}
}  // namespace heed::kernels::cpu

#else

namespace heed::kernels::cpu {
const TileKernels* dot_tile_kernels() {
  return nullptr;
}
}  // namespace heed::kernels::cpu

#endif
