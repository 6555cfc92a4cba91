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
#define HEED_TILES_FOR_AVX512_BF16 1
#include "heed/kernels/cpu/tile_kernels-inl.h"
#undef HEED_TILES_FOR_AVX512_BF16

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

  // The first `columns` of 32 sums on their way to C, a row by one store. ReLU keeps NaN and -0: of two
  // zeros, and where one is NaN, the maximum is its second operand. VCVTNE2PS2BF16 would convert both halves
  // at once; the emulator that stands in for the processor (Bochs 3.1) gets its upper half wrong.
  static void finish(const float* sums, bool relu, int64_t columns, Bf16* to) {
    const __m512i lower = _mm512_castsi256_si512(narrow(rectified(sums, relu)));
    const __m512i row = _mm512_maskz_inserti64x4(0xFF, lower, narrow(rectified(sums + 16, relu)), 1);
    _mm512_mask_storeu_epi16(to, first(columns), row);
  }
  static void finish(const float* sums, bool relu, int64_t columns, float* to) {
    const __mmask32 wanted = first(columns);
    _mm512_mask_storeu_ps(to, static_cast<__mmask16>(wanted), rectified(sums, relu));
    _mm512_mask_storeu_ps(to + 16, static_cast<__mmask16>(wanted >> 16), rectified(sums + 16, relu));
  }

 private:
  static __m512 rectified(const float* sums, bool relu) {
    const __m512 x = _mm512_loadu_ps(sums);
    return _mm512_mask_max_ps(x, static_cast<__mmask16>(relu ? 0xFFFF : 0), _mm512_setzero_ps(), x);
  }
  static __m256i narrow(__m512 x) {
    const __m256bh narrow = _mm512_cvtneps_pbh(x);
    __m256i bits;
    std::memcpy(&bits, &narrow, sizeof(bits));
    return bits;
  }
  static __mmask32 first(int64_t columns) { return static_cast<__mmask32>((uint64_t{1} << columns) - 1); }
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
