// How rows become the factors of tiles.h, by squares of 32 x 32; included by one .cc file for each processor,
// which says for which to compile and sets HEED_TILES_FOR_AVX512_BF16: g++ 12 defines __AVX512BF16__ for what
// the command line asks for, not for what a pragma does. In an unnamed namespace: no function compiled for
// one processor may serve another.

namespace heed::kernels::cpu {
namespace {

using U16x32 = uint16_t __attribute__((vector_size(64)));
using U32x16 = uint32_t __attribute__((vector_size(64)));

constexpr int64_t kSquare = 32;

// 32 numbers as Bf16. Vectors are not returned: without AVX-512 how that is done depends on the compiler.
inline void load_row(const Bf16* from, U16x32& row) {
  std::memcpy(&row, from, sizeof(row));
}
// VCVTNE2PS2BF16 would convert both halves at once; the emulator that stands in for the processor (Bochs 3.1)
// gets its upper half wrong. Intrinsics with a mask, since g++ 12 warns of its own without one.
inline void load_row(const float* from, U16x32& row) {
#if HEED_TILES_FOR_AVX512_BF16
  const __m256bh lower = _mm512_cvtneps_pbh(_mm512_loadu_ps(from)),
                 upper = _mm512_cvtneps_pbh(_mm512_loadu_ps(from + 16));
  __m256i halves[2];
  std::memcpy(&halves[0], &lower, sizeof(lower));
  std::memcpy(&halves[1], &upper, sizeof(upper));
  row = reinterpret_cast<U16x32>(
      _mm512_maskz_inserti64x4(0xFF, _mm512_castsi256_si512(halves[0]), halves[1], 1));
#else
  for (int i = 0; i < 32; ++i) row[i] = Bf16(from[i]).bits;
#endif
}

// Up to 32 rows of up to 32 columns, zeros beyond the given ones, `to` [32, 32]. Apart from the fast path,
// which is spared all that.
template <class T>
__attribute__((noinline)) void pad_square(const T* from, int64_t stride, int64_t rows, int64_t columns,
                                          T* to) {
  std::memset(static_cast<void*>(to), 0, kSquare * kSquare * sizeof(T));
  for (int64_t r = 0; r < std::min(rows, kSquare); ++r) {
    std::copy_n(from + r * stride, std::min(columns, kSquare), to + r * kSquare);
  }
}

// 32 rows of 32 columns to read from: those of a matrix, or a padded copy of them.
template <class T>
class Square {
 public:
  Square(const T* from, int64_t stride, int64_t rows, int64_t columns) : from_(from), stride_(stride) {
    if (rows >= kSquare && columns >= kSquare) return;
    auto* const padded = reinterpret_cast<T*>(padded_);
    pad_square(from, stride, rows, columns, padded);
    from_ = padded;
    stride_ = kSquare;
  }
  Square(const Square&) = delete;
  Square& operator=(const Square&) = delete;

  // The rows one after the other.
  class Rows {
   public:
    explicit Rows(const Square& square) : at_(square.from_), stride_(square.stride_) {}
    void next(U16x32& row) {
      load_row(at_, row);
      at_ += stride_;
    }

   private:
    const T* at_;
    int64_t stride_;
  };

 private:
  const T* from_;
  int64_t stride_;
  alignas(64) std::byte padded_[kSquare * kSquare * sizeof(T)];  // written only where needed
};

// Asks for the 32 rows of a square, a cache line each: the processor foresees the next lines of a row, not
// those of the next rows.
inline void prefetch_square(const Bf16* from, int64_t stride) {
#pragma GCC unroll 32
  for (int64_t r = 0; r < kSquare; ++r) __builtin_prefetch(from + r * stride);
}

// The next two rows of a square, the first in the low halves; columns 0 to 15 and 16 to 31. Eight columns are
// interleaved within each quarter of a vector, then the quarters brought in order.
struct Pairs {
  U32x16 columns[2];
};
template <class Rows>
inline Pairs load_pairs(Rows& rows) {
  U16x32 low, high;
  rows.next(low);
  rows.next(high);
  const auto first = reinterpret_cast<U32x16>(
      __builtin_shufflevector(low, high, 0, 32, 1, 33, 2, 34, 3, 35, 8, 40, 9, 41, 10, 42, 11, 43, 16, 48, 17,
                              49, 18, 50, 19, 51, 24, 56, 25, 57, 26, 58, 27, 59));
  const auto second = reinterpret_cast<U32x16>(
      __builtin_shufflevector(low, high, 4, 36, 5, 37, 6, 38, 7, 39, 12, 44, 13, 45, 14, 46, 15, 47, 20, 52,
                              21, 53, 22, 54, 23, 55, 28, 60, 29, 61, 30, 62, 31, 63));
  return {
      {__builtin_shufflevector(first, second, 0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23),
       __builtin_shufflevector(first, second, 8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31)}};
}

template <class T>
void interleave_rows(const T* from, int64_t stride, int64_t rows, int64_t columns, Bf16* to) {
  for (int64_t column = 0; column < columns; column += kTileColumns) {
    for (int64_t r = 0; r < rows; r += kTileDepth, to += 2 * kTileSize) {
      const Square<T> square(from + r * stride + column, stride, rows - r, columns - column);
      typename Square<T>::Rows pair_rows(square);
      for (int64_t p = 0; p < 16; ++p) {
        const Pairs pairs = load_pairs(pair_rows);
        std::memcpy(static_cast<void*>(to + p * kTileDepth), &pairs.columns[0], 64);
        std::memcpy(static_cast<void*>(to + kTileSize + p * kTileDepth), &pairs.columns[1], 64);
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

inline void transpose(U32x16 (&m)[16]) {
  exchange<8>(m);
  exchange<4>(m);
  exchange<2>(m);
  exchange<1>(m);
}

void transpose_rows(const Bf16* from, int64_t stride, int64_t rows, int64_t columns, Bf16* to) {
  const int64_t column_size = tile_blocks(rows) * kTileSize;  // of 16 columns
  for (int64_t column = 0; column < columns; column += kSquare, to += 2 * column_size) {
    Bf16* tile = to;
    for (int64_t r = 0; r < rows; r += kTileDepth, tile += kTileSize) {
      prefetch_square(from + (r + kTileDepth) * stride + column, stride);
      const Square<Bf16> square(from + r * stride + column, stride, rows - r, columns - column);
      Square<Bf16>::Rows pair_rows(square);
      U32x16 left[16], right[16];
#pragma GCC unroll 16
      for (int64_t p = 0; p < 16; ++p) {
        const Pairs pairs = load_pairs(pair_rows);
        left[p] = pairs.columns[0];
        right[p] = pairs.columns[1];
      }
      transpose(left);
      std::memcpy(static_cast<void*>(tile), left, sizeof(left));
      if (column + 16 >= columns) continue;
      transpose(right);
      std::memcpy(static_cast<void*>(tile + column_size), right, sizeof(right));
    }
  }
}

void interleave_columns(const float* from, int64_t stride, int64_t rows, int64_t columns, Bf16* to) {
  for (int64_t row = 0; row < rows; row += kTileColumns) {
    for (int64_t c = 0; c < columns; c += kTileDepth) {
      const Square<float> square(from + row * stride + c, stride, rows - row, columns - c);
      Square<float>::Rows of_square(square);
      for (int64_t half = 0; half < kTileColumns; half += 16, to += kTileSize) {
        U32x16 m[16];
#pragma GCC unroll 16
        for (U32x16& of_tile : m) {
          U16x32 numbers;
          of_square.next(numbers);
          of_tile = reinterpret_cast<U32x16>(numbers);
        }
        transpose(m);
        std::memcpy(static_cast<void*>(to), m, sizeof(m));
      }
    }
  }
}

}  // namespace
}  // namespace heed::kernels::cpu
