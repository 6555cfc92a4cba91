// Rows of float or Bf16 in and out of vectors of f32. Included once a target, after highway.h.
#if defined(HEED_KERNELS_CPU_SIMD_MEMORY_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEED_KERNELS_CPU_SIMD_MEMORY_INL_H_
#undef HEED_KERNELS_CPU_SIMD_MEMORY_INL_H_
#else
#define HEED_KERNELS_CPU_SIMD_MEMORY_INL_H_
#endif

#include <cstdint>
#include <cstring>

#include "heed/tensor/dtype.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels::cpu {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

using F32 = hn::ScalableTag<float>;
using FloatVector = hn::Vec<F32>;

// Room for this many floats and for whole vectors that overrun them.
constexpr int64_t padded(int64_t floats) {
  return (floats + 63) / 64 * 64;
}

template <class D>
HWY_INLINE hn::Vec<D> load(D d, const float* p) {
  return hn::LoadU(d, p);
}
template <class D>
HWY_INLINE hn::Vec<D> load(D d, const Bf16* p) {
  const hn::RebindToUnsigned<D> du32;
  const hn::Rebind<uint16_t, D> du16;
  const auto bits = hn::LoadU(du16, reinterpret_cast<const uint16_t*>(p));
  return hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(du32, bits)));
}

// As Bf16(float) rounds: to nearest, ties to even, NaN stays NaN.
template <class D>
HWY_INLINE hn::Vec<hn::Rebind<uint16_t, D>> bf16_bits(D, hn::Vec<D> v) {
  const hn::RebindToSigned<D> di32;
  const hn::RebindToUnsigned<D> du32;
  const hn::Rebind<uint16_t, D> du16;
  const auto bits = hn::BitCast(du32, v);
  const auto odd = hn::And(hn::ShiftRight<16>(bits), hn::Set(du32, 1u));
  const auto rounded = hn::Add(hn::Add(bits, hn::Set(du32, 0x7FFFu)), odd);
  const auto quiet = hn::Or(bits, hn::Set(du32, 0x400000u));
  const auto chosen = hn::IfThenElse(hn::RebindMask(du32, hn::IsNaN(v)), quiet, rounded);
  return hn::DemoteTo(du16, hn::BitCast(di32, hn::ShiftRight<16>(chosen)));
}

template <class D>
HWY_INLINE void store(D d, hn::Vec<D> v, float* p) {
  hn::StoreU(v, d, p);
}
template <class D>
HWY_INLINE void store(D d, hn::Vec<D> v, Bf16* p) {
  const hn::Rebind<uint16_t, D> du16;
  hn::StoreU(bf16_bits(d, v), du16, reinterpret_cast<uint16_t*>(p));
}

// The first n < Lanes(d) elements; the others are 0. Memory past them is not touched.
#if HWY_TARGET <= HWY_AVX3  // masks for 16 bits too
template <class D>
HWY_INLINE hn::Vec<D> load_some(D d, const float* p, int64_t n) {
  return hn::MaskedLoad(hn::FirstN(d, static_cast<size_t>(n)), d, p);
}
template <class D>
HWY_INLINE hn::Vec<D> load_some(D d, const Bf16* p, int64_t n) {
  const hn::RebindToUnsigned<D> du32;
  const hn::Rebind<uint16_t, D> du16;
  const auto wanted = hn::FirstN(du16, static_cast<size_t>(n));
  const auto bits = hn::MaskedLoad(wanted, du16, reinterpret_cast<const uint16_t*>(p));
  return hn::BitCast(d, hn::ShiftLeft<16>(hn::PromoteTo(du32, bits)));
}
template <class D>
HWY_INLINE void store_some(D d, hn::Vec<D> v, float* p, int64_t n) {
  hn::BlendedStore(v, hn::FirstN(d, static_cast<size_t>(n)), d, p);
}
template <class D>
HWY_INLINE void store_some(D d, hn::Vec<D> v, Bf16* p, int64_t n) {
  const hn::Rebind<uint16_t, D> du16;
  hn::BlendedStore(bf16_bits(d, v), hn::FirstN(du16, static_cast<size_t>(n)), du16,
                   reinterpret_cast<uint16_t*>(p));
}
#else
template <class D, class T>
HWY_INLINE hn::Vec<D> load_some(D d, const T* p, int64_t n) {
  HWY_ALIGN T all[HWY_MAX_BYTES / sizeof(float)] = {};
  std::memcpy(all, p, static_cast<size_t>(n) * sizeof(T));
  return load(d, all);
}
template <class D, class T>
HWY_INLINE void store_some(D d, hn::Vec<D> v, T* p, int64_t n) {
  HWY_ALIGN T all[HWY_MAX_BYTES / sizeof(float)];
  store(d, v, all);
  std::memcpy(p, all, static_cast<size_t>(n) * sizeof(T));
}
#endif

// As above, but n may be Lanes(d), for bodies of for_each_vector.
template <class D, class T>
HWY_INLINE hn::Vec<D> load_n(D d, const T* p, int64_t n) {
  return n == static_cast<int64_t>(hn::Lanes(d)) ? load(d, p) : load_some(d, p, n);
}
template <class D, class T>
HWY_INLINE void store_n(D d, hn::Vec<D> v, T* p, int64_t n) {
  if (n == static_cast<int64_t>(hn::Lanes(d)))
    store(d, v, p);
  else
    store_some(d, v, p, n);
}

// Calls f(column, n) for every vector of a row; n is Lanes(d) but for the last one when width is no multiple.
// f should be HEED_INLINE_LAMBDA: with n known the choice in load_n costs nothing.
#undef HEED_INLINE_LAMBDA
#define HEED_INLINE_LAMBDA HWY_ATTR __attribute__((always_inline))
template <class D, class F>
HWY_INLINE void for_each_vector(D d, int64_t width, F&& f) {
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t column = 0;
  for (; column + lanes <= width; column += lanes) f(column, lanes);
  if (column < width) f(column, width - column);
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels::cpu
HWY_AFTER_NAMESPACE();

#endif  // toggle
