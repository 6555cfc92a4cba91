// Bf16 products on processors that multiply Bf16. A tile is 16 rows of 64 bytes. On matrix units (Intel AMX)
// one instruction multiplies a tile of 16 x 32 Bf16 by one of 32 x 16 and adds to 16 x 16 sums in f32; those
// kernels are written once (tile_kernels-inl.h) over the processor's tiles and emulated ones, which let any
// machine test the logic. Dot products of pairs (AVX512-BF16, tiles_dot.cc) take the same factors row by row.
//
// The right factor B [K, N] is kept in panels of 32 columns, each [K / 32][2 tiles]; a tile holds pairs of
// rows interleaved: B[k, n] is element (k % 32 / 2, 2 (n % 16) + k % 2) of its tile. Zeros fill K and N up.
#pragma once

#include <cstdint>

#include "heed/tensor/dtype.h"

namespace heed::kernels::cpu {

inline constexpr int64_t kTileRows = 16;     // of the left factor and of the sums
inline constexpr int64_t kTileDepth = 32;    // Bf16 numbers in a row of a tile
inline constexpr int64_t kTileSize = 512;    // Bf16 numbers in a tile
inline constexpr int64_t kTileColumns = 32;  // of a panel: two tiles side by side

inline int64_t tile_blocks(int64_t depth) {
  return (depth + kTileDepth - 1) / kTileDepth;
}
// Elements of a panel, and of B as panels.
inline int64_t tile_panel_size(int64_t depth) {
  return tile_blocks(depth) * 2 * kTileSize;
}
inline int64_t tiled_size(int64_t depth, int64_t columns) {
  return (columns + kTileColumns - 1) / kTileColumns * tile_panel_size(depth);
}

// Where B[k, n] is.
inline int64_t tiled_position(int64_t depth, int64_t k, int64_t n) {
  const int64_t tile = k / kTileDepth * 2 + n % kTileColumns / 16;
  return n / kTileColumns * tile_panel_size(depth) + tile * kTileSize + k % kTileDepth / 2 * kTileDepth +
         n % 16 * 2 + k % 2;
}

// C = act(start + A B) by one thread. Each element is start, then one sum a block of 32 k's (of 2 by dot
// products) in ascending order: rows, columns and the way the work is cut never show.
struct TileProduct {
  int64_t rows = 0, depth = 0, columns = 0;
  const Bf16* a = nullptr;
  int64_t a_stride = 0;         // of rows; 0: `a` is what transpose() made
  const Bf16* b = nullptr;      // panels
  int64_t b_panel_stride = 0;   // elements
  const float* bias = nullptr;  // start = bias, or 0 ...
  bool accumulate = false;      // ... plus what C holds
  bool relu = false;
  float* c = nullptr;  // one of the two, rows c_stride apart
  Bf16* c_bf16 = nullptr;
  int64_t c_stride = 0;
};

struct TileKernels {
  void (*multiply)(const TileProduct& product);
  // Rows [rows, columns], as right factor: activations, and weights rounded on the way.
  void (*interleave)(const Bf16* from, int64_t stride, int64_t rows, int64_t columns, Bf16* to);
  void (*interleave_f32)(const float* from, int64_t stride, int64_t rows, int64_t columns, Bf16* to);
  // The transpose of rows [rows, columns] of a weight, as right factor.
  void (*interleave_columns)(const float* from, int64_t stride, int64_t rows, int64_t columns, Bf16* to);
  // The transpose of rows [rows, columns] as left factor: for each 16 columns, [rows / 32] tiles.
  void (*transpose)(const Bf16* from, int64_t stride, int64_t rows, int64_t columns, Bf16* to);
};

// The kernels that serve here: the processor's on the levels amx and avx512_bf16, else emulated ones. Their
// first use on this processor compares them with the emulated ones and throws Error when they disagree.
const TileKernels& tile_kernels();

// Whether Bf16 matrices are packed into tiles: where the processor multiplies Bf16, or when a test wants to
// see the emulated ones.
bool tiles_in_use();
void emulate_tiles(bool on);

// The three kinds. The processor's are null where the compiler knows none.
const TileKernels& emulated_tile_kernels();
const TileKernels* amx_tile_kernels();
const TileKernels* dot_tile_kernels();

}  // namespace heed::kernels::cpu
