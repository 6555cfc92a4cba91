// The small products that attention is made of, all on f32 scratch: rows of one head side by side, each
// rounded up to whole vectors, the rest of them zero. Included once a target, after highway.h.
#if defined(HEED_KERNELS_CPU_ATTENTION_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEED_KERNELS_CPU_ATTENTION_INL_H_
#undef HEED_KERNELS_CPU_ATTENTION_INL_H_
#else
#define HEED_KERNELS_CPU_ATTENTION_INL_H_
#endif

#include <algorithm>

#include "heed/kernels/cpu/simd_memory-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels::cpu {
namespace HWY_NAMESPACE {

// A block of scores: kBlock queries by kBlock keys.
constexpr int64_t kBlock = 64;

HWY_INLINE int64_t whole_vectors(int64_t size) {
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(F32()));
  return (size + lanes - 1) / lanes * lanes;
}

// a(m, k) is a[m * row + k * step].
struct LeftFactor {
  const float* a;
  int64_t row, step;
};

// kRows x kVectors vectors of C = A B in registers, of C += A B unless fresh. Row m sums over k < inner + m *
// growth.
// The loops must be unrolled for the sums to live in registers.
template <int kRows, int kVectors>
HWY_INLINE void product_tile(LeftFactor left, const float* HWY_RESTRICT b, int64_t b_row, int64_t inner,
                             int64_t growth, bool fresh, float* HWY_RESTRICT c, int64_t c_row) {
  const F32 d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  FloatVector sums[kRows][kVectors];
#pragma GCC unroll 4
  for (int m = 0; m < kRows; ++m)
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v)
      sums[m][v] = fresh ? hn::Zero(d) : hn::LoadU(d, c + m * c_row + v * lanes);
  for (int64_t k = 0; k < inner; ++k) {
    FloatVector right[kVectors];
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) right[v] = hn::LoadU(d, b + k * b_row + v * lanes);
#pragma GCC unroll 4
    for (int m = 0; m < kRows; ++m) {
      const FloatVector factor = hn::Set(d, left.a[m * left.row + k * left.step]);
#pragma GCC unroll 4
      for (int v = 0; v < kVectors; ++v) sums[m][v] = hn::MulAdd(factor, right[v], sums[m][v]);
    }
  }
  if (growth != 0) {
#pragma GCC unroll 4
    for (int m = 1; m < kRows; ++m) {
      for (int64_t k = inner; k < inner + m * growth; ++k) {
        const FloatVector factor = hn::Set(d, left.a[m * left.row + k * left.step]);
#pragma GCC unroll 4
        for (int v = 0; v < kVectors; ++v)
          sums[m][v] = hn::MulAdd(factor, hn::LoadU(d, b + k * b_row + v * lanes), sums[m][v]);
      }
    }
  }
#pragma GCC unroll 4
  for (int m = 0; m < kRows; ++m)
#pragma GCC unroll 4
    for (int v = 0; v < kVectors; ++v) hn::StoreU(sums[m][v], d, c + m * c_row + v * lanes);
}

template <int kRows>
HWY_INLINE void product_rows(LeftFactor left, const float* HWY_RESTRICT b, int64_t b_row, int64_t inner,
                             int64_t growth, bool fresh, float* HWY_RESTRICT c, int64_t c_row,
                             int64_t columns) {
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(F32()));
  int64_t n = 0;
  for (; n + 2 * lanes <= columns; n += 2 * lanes)
    product_tile<kRows, 2>(left, b + n, b_row, inner, growth, fresh, c + n, c_row);
  if (n < columns) product_tile<kRows, 1>(left, b + n, b_row, inner, growth, fresh, c + n, c_row);
}

// C [rows, columns] = A B, += unless fresh; columns whole vectors. Row m sums over k < inner + m * growth
// (growth 1: a causal triangle), one by one in ascending order whatever the tile it is in.
static HWY_NOINLINE void product(LeftFactor left, const float* HWY_RESTRICT b, int64_t b_row, int64_t rows,
                                 int64_t inner, int64_t growth, bool fresh, float* HWY_RESTRICT c,
                                 int64_t c_row, int64_t columns) {
  int64_t m = 0;
  const auto at = [&](int64_t row) { return LeftFactor{left.a + row * left.row, left.row, left.step}; };
  for (; m + 4 <= rows; m += 4)
    product_rows<4>(at(m), b, b_row, inner + m * growth, growth, fresh, c + m * c_row, c_row, columns);
  if (m + 2 <= rows) {
    product_rows<2>(at(m), b, b_row, inner + m * growth, growth, fresh, c + m * c_row, c_row, columns);
    m += 2;
  }
  if (m < rows)
    product_rows<1>(at(m), b, b_row, inner + m * growth, growth, fresh, c + m * c_row, c_row, columns);
}

// rows of `width` elements, `stride` apart, as f32 [rows, padded_width] times factor, zeros behind.
template <class T>
HWY_INLINE void copy_rows(const T* from, int64_t stride, int64_t rows, int64_t width, float factor,
                          float* HWY_RESTRICT to, int64_t padded_width) {
  const F32 d;
  const FloatVector factors = hn::Set(d, factor);
  for (int64_t r = 0; r < rows; ++r)
    for_each_vector(d, width, [&](int64_t c, int64_t n) HEED_INLINE_LAMBDA {
      hn::StoreU(hn::Mul(factors, load_n(d, from + r * stride + c, n)), d, to + r * padded_width + c);
    });
}

// to [width, to_row] = from [rows, from_row] transposed. Columns from `rows` up to whole vectors, and rows
// from `width` up to whole vectors, hold anything: whoever reads the products masks them.
HWY_INLINE void transpose(const float* HWY_RESTRICT from, int64_t from_row, int64_t rows, int64_t width,
                          float* HWY_RESTRICT to, int64_t to_row) {
#if HWY_TARGET == HWY_SCALAR
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t c = 0; c < width; ++c) to[c * to_row + r] = from[r * from_row + c];
#else
  const hn::FixedTag<float, 4> d;
  const hn::FixedTag<double, 2> pairs;
  for (int64_t c = 0; c < width; c += 4) {
    for (int64_t r = 0; r < rows; r += 4) {
      const float* p = from + r * from_row + c;
      const auto a0 = hn::LoadU(d, p), a1 = hn::LoadU(d, p + from_row);
      const auto a2 = hn::LoadU(d, p + 2 * from_row), a3 = hn::LoadU(d, p + 3 * from_row);
      const auto low01 = hn::BitCast(pairs, hn::InterleaveLower(d, a0, a1));
      const auto low23 = hn::BitCast(pairs, hn::InterleaveLower(d, a2, a3));
      const auto high01 = hn::BitCast(pairs, hn::InterleaveUpper(d, a0, a1));
      const auto high23 = hn::BitCast(pairs, hn::InterleaveUpper(d, a2, a3));
      float* t = to + c * to_row + r;
      hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, low01, low23)), d, t);
      hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, low01, low23)), d, t + to_row);
      hn::StoreU(hn::BitCast(d, hn::InterleaveLower(pairs, high01, high23)), d, t + 2 * to_row);
      hn::StoreU(hn::BitCast(d, hn::InterleaveUpper(pairs, high01, high23)), d, t + 3 * to_row);
    }
  }
#endif
}

HWY_INLINE void fill_zero(float* HWY_RESTRICT to, int64_t size) {
  std::fill_n(to, size, 0.0f);
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels::cpu
HWY_AFTER_NAMESPACE();

#endif  // toggle
