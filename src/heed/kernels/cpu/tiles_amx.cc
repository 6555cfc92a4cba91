// Tiles of the processor: Intel AMX. Compiled for it alone; called only on level amx.
#include <algorithm>
#include <cstring>
#include <utility>

#include "heed/kernels/cpu/scratch.h"
#include "heed/kernels/cpu/tiles.h"

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)
#include <immintrin.h>

#pragma GCC push_options
#pragma GCC target("avx512f,avx512bw,avx512vl,avx512dq,avx512bf16")
#include "heed/kernels/cpu/tile_kernels-inl.h"

namespace heed::kernels::cpu {
namespace {

// The compiler's intrinsics do not say which memory a tile is loaded from, so that stores before it may be
// lost: the instructions are written out, each with all memory as its operand.
struct AmxTiles {
  // All eight tiles whole, for this thread, until the end: a tile in use makes switching threads slower.
  struct Session {
    Session() {
      struct alignas(64) {
        uint8_t palette = 1, start_row = 0, reserved[14] = {};
        uint16_t row_bytes[16] = {64, 64, 64, 64, 64, 64, 64, 64};
        uint8_t rows[16] = {16, 16, 16, 16, 16, 16, 16, 16};
      } configuration;
      static_assert(sizeof(configuration) == 64);
      asm volatile("ldtilecfg %0" : : "m"(configuration) : "memory");
    }
    ~Session() { asm volatile("tilerelease" : : : "memory"); }
  };

  template <int kTile>
  static void zero() {
    asm volatile("tilezero %%tmm%c0" : : "i"(kTile));
  }
  template <int kTile>
  static void load(const void* from, int64_t stride) {
    asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(stride), "i"(kTile) : "memory");
  }
  template <int kTile>
  static void store(void* to, int64_t stride) {
    asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(to), "r"(stride), "i"(kTile) : "memory");
  }
  template <int kSum, int kLeft, int kRight>
  static void multiply_add() {
    asm volatile("tdpbf16ps %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kSum), "i"(kLeft), "i"(kRight));
  }

  // 16 numbers.
  static void narrow(const float* from, Bf16* to) {
    const __m256bh narrow = _mm512_cvtneps_pbh(_mm512_loadu_ps(from));
    std::memcpy(static_cast<void*>(to), &narrow, sizeof(narrow));
  }
};

constexpr TileKernels kAmxKernels = kTileKernels<AmxTiles>;

}  // namespace
}  // namespace heed::kernels::cpu
#pragma GCC pop_options

namespace heed::kernels::cpu {
const TileKernels* amx_tile_kernels() {
  return &kAmxKernels;
}
}  // namespace heed::kernels::cpu

#else

namespace heed::kernels::cpu {
const TileKernels* amx_tile_kernels() {
  return nullptr;
}
}  // namespace heed::kernels::cpu

#endif
