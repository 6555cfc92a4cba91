// Tiles in plain C++, for machines without matrix units: what tests run, never fast.
#include <algorithm>
#include <cfloat>
#include <cmath>
#include <cstring>
#include <utility>

#include "heed/kernels/cpu/scratch.h"
#include "heed/kernels/cpu/tiles.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wpsabi"  // vectors pass only between functions of this file
#define HEED_TILES_FOR_AVX512_BF16 0
#include "heed/kernels/cpu/tile_kernels-inl.h"
#undef HEED_TILES_FOR_AVX512_BF16

namespace heed::kernels::cpu {
namespace {

// Denormal numbers count as zero, in and out.
float flush(float x) {
  return std::fabs(x) < FLT_MIN ? std::copysign(0.0f, x) : x;
}

struct EmulatedTiles {
  struct Session {
    Session() {}
    ~Session() {}
  };

  template <int kTile>
  static void zero() {
    std::memset(&tiles[kTile], 0, sizeof(Tile));
  }
  template <int kTile>
  static void load(const void* from, int64_t stride) {
    for (int64_t row = 0; row < kTileRows; ++row) {
      std::memcpy(tiles[kTile].bytes[row], static_cast<const char*>(from) + row * stride, 64);
    }
  }
  template <int kTile>
  static void store(void* to, int64_t stride) {
    for (int64_t row = 0; row < kTileRows; ++row) {
      std::memcpy(static_cast<char*>(to) + row * stride, tiles[kTile].bytes[row], 64);
    }
  }

  // As the instruction TDPBF16PS: the even k's and the odd ones are summed apart, in ascending order (a
  // product of two Bf16 is exact in f32), then both sums together, then onto what the tile held.
  template <int kSum, int kLeft, int kRight>
  static void multiply_add() {
    for (int64_t row = 0; row < kTileRows; ++row) {
      Bf16 left[32];
      float sums[16], even[16] = {}, odd[16] = {};
      std::memcpy(left, tiles[kLeft].bytes[row], 64);
      std::memcpy(sums, tiles[kSum].bytes[row], 64);
      for (int64_t p = 0; p < 16; ++p) {
        Bf16 right[32];
        std::memcpy(right, tiles[kRight].bytes[p], 64);
        const float a = flush(float(left[2 * p])), b = flush(float(left[2 * p + 1]));
        for (int64_t n = 0; n < 16; ++n) {
          even[n] = flush(even[n] + a * flush(float(right[2 * n])));
          odd[n] = flush(odd[n] + b * flush(float(right[2 * n + 1])));
        }
      }
      for (int64_t n = 0; n < 16; ++n) sums[n] = flush(flush(sums[n]) + flush(even[n] + odd[n]));
      std::memcpy(tiles[kSum].bytes[row], sums, 64);
    }
  }

  // The first `columns` of 32 sums on their way to C. ReLU keeps NaN and -0.
  template <class Out>
  static void finish(const float* sums, bool relu, int64_t columns, Out* to) {
    for (int64_t n = 0; n < columns; ++n) to[n] = Out(relu && sums[n] < 0 ? 0.0f : sums[n]);
  }

 private:
  struct Tile {
    alignas(64) char bytes[16][64];
  };
  static inline thread_local Tile tiles[8];
};

}  // namespace

const TileKernels& emulated_tile_kernels() {
  static constexpr TileKernels kernels = kTileKernels<EmulatedTiles>;
  return kernels;
}

}  // namespace heed::kernels::cpu
#pragma GCC diagnostic pop
