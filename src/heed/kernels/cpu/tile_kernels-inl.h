// The kernels of tiles.h over any kind of tiles; included by one .cc file for each kind, which names its own
// Tiles and says for which processor to compile. See that file for what Tiles must have.
//
// Everything is in an unnamed namespace: no function compiled for one processor may serve another.

#include "heed/kernels/cpu/tile_packing-inl.h"

namespace heed::kernels::cpu {
namespace {

constexpr int64_t kBlock = 32;  // rows and columns of sums in flight: 2 x 2 tiles
constexpr int64_t kSumStride = kBlock * static_cast<int64_t>(sizeof(float));

// Sums on their way to C: stored by the tiles, still to be finished while the next block multiplies.
struct Finished {
  const float* sums = nullptr;  // [32, 32]
  int64_t rows = 0, columns = 0, done = 0;
  bool relu = false;
  float* c = nullptr;
  Bf16* c_bf16 = nullptr;
  int64_t c_stride = 0;
};

template <class Tiles>
inline void finish_row(Finished& f) {
  const float* const sums = f.sums + f.done * kBlock;
  if (f.c != nullptr) {
    Tiles::finish(sums, f.relu, f.columns, f.c + f.done * f.c_stride);
  } else {
    Tiles::finish(sums, f.relu, f.columns, f.c_bf16 + f.done * f.c_stride);
  }
  ++f.done;
}
template <class Tiles>
inline void finish_rest(Finished& f) {
  while (f.done < f.rows) finish_row<Tiles>(f);
}

// The left factor of one block of up to 32 rows.
struct LeftBlock {
  const Bf16* tiles[2];
  int64_t stride;  // bytes between the rows of a tile
  int64_t step;    // elements from one tile to the next along k
};

inline LeftBlock left_block(const TileProduct& p, int64_t row, int64_t rows, Bf16* padded) {
  const int64_t blocks = tile_blocks(p.depth);
  if (p.a_stride == 0) {
    const Bf16* const first = p.a + row / kTileRows * blocks * kTileSize;
    return {{first, first + blocks * kTileSize}, kTileDepth * 2, kTileSize};
  }
  const Bf16* from = p.a + row * p.a_stride;
  if (rows % kTileRows == 0 && p.depth % kTileDepth == 0) {
    return {{from, from + kTileRows * p.a_stride}, p.a_stride * 2, kTileDepth};
  }
  const int64_t width = blocks * kTileDepth;
  std::memset(static_cast<void*>(padded), 0, static_cast<size_t>(kBlock * width) * sizeof(Bf16));
  for (int64_t r = 0; r < rows; ++r, from += p.a_stride) {
    std::copy_n(from, p.depth, padded + r * width);
  }
  return {{padded, padded + kTileRows * width}, width * 2, kTileDepth};
}

// Tiles 0 to 3 hold the sums, 4 and 5 the left factor, 6 and 7 the right one.
template <class Tiles, bool kTwo>
inline void multiply_blocks(const LeftBlock& a, const Bf16* b, int64_t blocks, Finished& previous) {
  int64_t owed = 0;  // rows to finish, in parts of `blocks`
  for (int64_t k = 0; k < blocks; ++k) {
    Tiles::template load<6>(b + k * 2 * kTileSize, 64);
    Tiles::template load<7>(b + k * 2 * kTileSize + kTileSize, 64);
    Tiles::template load<4>(a.tiles[0] + k * a.step, a.stride);
    Tiles::template multiply_add<0, 4, 6>();
    Tiles::template multiply_add<1, 4, 7>();
    if constexpr (kTwo) {
      Tiles::template load<5>(a.tiles[1] + k * a.step, a.stride);
      Tiles::template multiply_add<2, 5, 6>();
      Tiles::template multiply_add<3, 5, 7>();
    }
    for (owed += previous.rows; owed >= blocks; owed -= blocks) finish_row<Tiles>(previous);
  }
}

// A sum's address and the bytes between its rows: in C, when a whole block goes there as it is, or `sums`.
template <class Tiles>
inline void start_sums(const float* sums, int64_t stride) {
  Tiles::template load<0>(sums, stride);
  Tiles::template load<1>(sums + 16, stride);
  Tiles::template load<2>(reinterpret_cast<const char*>(sums) + 16 * stride, stride);
  Tiles::template load<3>(reinterpret_cast<const char*>(sums + 16) + 16 * stride, stride);
}

template <class Tiles>
inline void store_sums(float* sums, int64_t stride, bool two) {
  Tiles::template store<0>(sums, stride);
  Tiles::template store<1>(sums + 16, stride);
  if (!two) return;
  Tiles::template store<2>(reinterpret_cast<char*>(sums) + 16 * stride, stride);
  Tiles::template store<3>(reinterpret_cast<char*>(sums + 16) + 16 * stride, stride);
}

// What a block starts from, where that is neither zero nor a row of bias nor a whole block of C.
inline void fill_sums(const TileProduct& p, int64_t row, int64_t rows, int64_t column, int64_t columns,
                      float* sums) {
  if (rows < kBlock || columns < kBlock) std::fill_n(sums, kBlock * kBlock, 0.0f);
  for (int64_t r = 0; r < rows; ++r) {
    for (int64_t n = 0; n < columns; ++n) {
      const int64_t at = (row + r) * p.c_stride + column + n;
      const float held = p.c != nullptr ? p.c[at] : static_cast<float>(p.c_bf16[at]);
      sums[r * kBlock + n] = p.bias != nullptr ? p.bias[column + n] + held : held;
    }
  }
}

struct PaddedRows {};

template <class Tiles>
void multiply_tiles(const TileProduct& p) {
  const typename Tiles::Session session;
  const int64_t blocks = tile_blocks(p.depth);
  Bf16* const padded = scratch<PaddedRows, Bf16>(kBlock * blocks * kTileDepth + 1);
  alignas(64) float buffers[2][kBlock * kBlock];
  alignas(64) float bias[kBlock] = {};
  int which = 0;
  Finished previous;
  for (int64_t row = 0; row < p.rows; row += kBlock) {
    const int64_t rows = std::min(kBlock, p.rows - row);
    const bool two = rows > kTileRows;
    const LeftBlock a = left_block(p, row, rows, padded);
    for (int64_t column = 0; column < p.columns; column += kBlock) {
      const int64_t columns = std::min(kBlock, p.columns - column);
      const bool whole = p.c != nullptr && !p.relu && rows == kBlock && columns == kBlock;
      float* const sums = buffers[which];
      if (p.accumulate && whole && p.bias == nullptr) {
        start_sums<Tiles>(p.c + row * p.c_stride + column, p.c_stride * 4);
      } else if (p.accumulate) {
        fill_sums(p, row, rows, column, columns, sums);
        start_sums<Tiles>(sums, kSumStride);
      } else if (p.bias != nullptr) {
        if (columns < kBlock) std::copy_n(p.bias + column, columns, bias);
        start_sums<Tiles>(columns < kBlock ? bias : p.bias + column, 0);
      } else {
        Tiles::template zero<0>();
        Tiles::template zero<1>();
        Tiles::template zero<2>();
        Tiles::template zero<3>();
      }
      const Bf16* const b = p.b + column / kTileColumns * p.b_panel_stride;
      if (two) {
        multiply_blocks<Tiles, true>(a, b, blocks, previous);
      } else {
        multiply_blocks<Tiles, false>(a, b, blocks, previous);
      }
      finish_rest<Tiles>(previous);
      if (whole) {
        store_sums<Tiles>(p.c + row * p.c_stride + column, p.c_stride * 4, true);
        previous = {};
        continue;
      }
      store_sums<Tiles>(sums, kSumStride, two);
      previous = {.sums = sums,
                  .rows = rows,
                  .columns = columns,
                  .relu = p.relu,
                  .c = p.c != nullptr ? p.c + row * p.c_stride + column : nullptr,
                  .c_bf16 = p.c_bf16 != nullptr ? p.c_bf16 + row * p.c_stride + column : nullptr,
                  .c_stride = p.c_stride};
      which = 1 - which;
    }
  }
  finish_rest<Tiles>(previous);
}

template <class Tiles>
constexpr TileKernels kTileKernels{multiply_tiles<Tiles>, interleave_rows<Bf16>, interleave_rows<float>,
                                   interleave_columns, transpose_rows};

}  // namespace
}  // namespace heed::kernels::cpu
