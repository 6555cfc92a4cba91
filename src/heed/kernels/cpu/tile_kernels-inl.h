// The kernels of tiles.h over any kind of tiles; included by one .cc file for each kind, which names its own
// Tiles and says for which processor to compile. See that file for what Tiles must have.
//
// Everything is in an unnamed namespace: no function compiled for one processor may serve another.

namespace heed::kernels::cpu {
namespace {

using U16x16 = uint16_t __attribute__((vector_size(32)));
using U32x16 = uint32_t __attribute__((vector_size(64)));

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
inline void finish_rows(Finished& f, int64_t until) {
  for (; f.done < until; ++f.done) {
    alignas(64) float row[kBlock];
    const float* const sums = f.sums + f.done * kBlock;
    for (int64_t i = 0; i < kBlock; ++i) row[i] = f.relu && sums[i] < 0 ? 0.0f : sums[i];
    if (f.c != nullptr) {
      std::memcpy(f.c + f.done * f.c_stride, row, static_cast<size_t>(f.columns) * sizeof(float));
    } else {
      alignas(64) Bf16 narrow[kBlock];
      Tiles::narrow(row, narrow);
      Tiles::narrow(row + 16, narrow + 16);
      Bf16* const to = f.c_bf16 + f.done * f.c_stride;
      if (f.columns == kBlock) {
        std::memcpy(to, narrow, sizeof(narrow));
      } else {
        std::memcpy(to, narrow, static_cast<size_t>(f.columns) * sizeof(Bf16));
      }
    }
  }
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
    std::memcpy(padded + r * width, from, static_cast<size_t>(p.depth) * sizeof(Bf16));
  }
  return {{padded, padded + kTileRows * width}, width * 2, kTileDepth};
}

// Tiles 0 to 3 hold the sums, 4 and 5 the left factor, 6 and 7 the right one.
template <class Tiles, bool kTwo>
inline void multiply_blocks(const LeftBlock& a, const Bf16* b, int64_t blocks, Finished& previous) {
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
    finish_rows<Tiles>(previous, previous.rows * (k + 1) / blocks);
  }
}

// A sum's address and the bytes between its rows: in C, when a whole block goes there as it is, or `sums`.
template <class Tiles>
inline void start_sums(float* sums, int64_t stride) {
  Tiles::template load<0>(sums, stride);
  Tiles::template load<1>(sums + 16, stride);
  Tiles::template load<2>(reinterpret_cast<char*>(sums) + 16 * stride, stride);
  Tiles::template load<3>(reinterpret_cast<char*>(sums + 16) + 16 * stride, stride);
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
  alignas(64) float buffers[2][kBlock * kBlock] = {};
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
        std::memcpy(bias, p.bias + column, static_cast<size_t>(columns) * sizeof(float));
        start_sums<Tiles>(bias, 0);
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
      finish_rows<Tiles>(previous, previous.rows);
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
  finish_rows<Tiles>(previous, previous.rows);
}

// 32 rows of 16 columns as pairs: lane n of pairs[p] holds rows 2p (low half) and 2p + 1 of column n. Rows
// and columns beyond the given ones are zero.
inline void load_pairs(const Bf16* from, int64_t stride, int64_t rows, int64_t columns, U32x16 (&pairs)[16]) {
  alignas(64) Bf16 padded[kTileDepth * 16];
  if (rows < kTileDepth || columns < 16) {
    std::memset(static_cast<void*>(padded), 0, sizeof(padded));
    for (int64_t r = 0; r < std::min(rows, kTileDepth); ++r) {
      std::memcpy(padded + r * 16, from + r * stride,
                  static_cast<size_t>(std::min<int64_t>(columns, 16)) * sizeof(Bf16));
    }
    from = padded;
    stride = 16;
  }
  for (int p = 0; p < 16; ++p) {
    U16x16 low, high;
    std::memcpy(&low, from + 2 * p * stride, sizeof(low));
    std::memcpy(&high, from + (2 * p + 1) * stride, sizeof(high));
    pairs[p] = __builtin_convertvector(low, U32x16) | (__builtin_convertvector(high, U32x16) << 16);
  }
}

void interleave_rows(const Bf16* from, int64_t stride, int64_t rows, int64_t columns, Bf16* to) {
  for (int64_t column = 0; column < columns; column += kTileColumns) {
    for (int64_t r = 0; r < rows; r += kTileDepth) {
      for (int64_t half = column; half < column + kTileColumns; half += 16, to += kTileSize) {
        U32x16 pairs[16] = {};
        if (half < columns) load_pairs(from + r * stride + half, stride, rows - r, columns - half, pairs);
        std::memcpy(static_cast<void*>(to), pairs, sizeof(pairs));
      }
    }
  }
}

// One step of the transposition of a 16 x 16 matrix: rows kDistance apart exchange blocks of that size.
template <unsigned kDistance, unsigned... kLane>
inline void exchange_lanes(U32x16 (&m)[16], std::integer_sequence<unsigned, kLane...>) {
#pragma GCC unroll 16
  for (unsigned i = 0; i < 16; ++i) {
    if ((i & kDistance) != 0) continue;
    const U32x16 upper = m[i], lower = m[i + kDistance];
    m[i] =
        __builtin_shufflevector(upper, lower, ((kLane & kDistance) != 0 ? 16 + kLane - kDistance : kLane)...);
    m[i + kDistance] =
        __builtin_shufflevector(upper, lower, ((kLane & kDistance) != 0 ? 16 + kLane : kLane + kDistance)...);
  }
}
template <unsigned kDistance>
inline void exchange(U32x16 (&m)[16]) {
  exchange_lanes<kDistance>(m, std::make_integer_sequence<unsigned, 16>());
}

void transpose_rows(const Bf16* from, int64_t stride, int64_t rows, int64_t columns, Bf16* to) {
  for (int64_t column = 0; column < columns; column += kTileRows) {
    for (int64_t r = 0; r < rows; r += kTileDepth, to += kTileSize) {
      U32x16 m[16];
      load_pairs(from + r * stride + column, stride, rows - r, columns - column, m);
      exchange<8>(m);
      exchange<4>(m);
      exchange<2>(m);
      exchange<1>(m);
      std::memcpy(static_cast<void*>(to), m, sizeof(m));
    }
  }
}

// 16 rows of 32 columns, a pair of columns a lane; zero beyond the given ones.
__attribute__((noinline)) void load_padded_rows(const Bf16* from, int64_t stride, int64_t rows,
                                                int64_t columns, U32x16 (&m)[16]) {
  std::memset(static_cast<void*>(m), 0, sizeof(m));
  for (int64_t r = 0; r < std::min<int64_t>(rows, 16); ++r) {
    std::memcpy(&m[r], from + r * stride, static_cast<size_t>(std::min(columns, kTileDepth)) * sizeof(Bf16));
  }
}

void interleave_columns(const Bf16* from, int64_t stride, int64_t rows, int64_t columns, Bf16* to) {
  for (int64_t row = 0; row < rows; row += kTileColumns) {
    for (int64_t c = 0; c < columns; c += kTileDepth) {
      for (int64_t half = row; half < row + kTileColumns; half += 16, to += kTileSize) {
        U32x16 m[16];
        if (half + 16 <= rows && c + kTileDepth <= columns) {
          for (int64_t r = 0; r < 16; ++r) std::memcpy(&m[r], from + (half + r) * stride + c, sizeof(m[r]));
        } else {
          load_padded_rows(from + half * stride + c, stride, rows - half, columns - c, m);
        }
        exchange<8>(m);
        exchange<4>(m);
        exchange<2>(m);
        exchange<1>(m);
        std::memcpy(static_cast<void*>(to), m, sizeof(m));
      }
    }
  }
}

template <class Tiles>
constexpr TileKernels kTileKernels{multiply_tiles<Tiles>, interleave_rows, interleave_columns,
                                   transpose_rows};

}  // namespace
}  // namespace heed::kernels::cpu
