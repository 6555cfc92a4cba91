// What attention does with a row of a query, a key or a value, T f32 or bf16; sums are f32. Included once a
// target, after highway.h.
#if defined(HEED_KERNELS_CPU_ATTENTION_ROWS_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEED_KERNELS_CPU_ATTENTION_ROWS_INL_H_
#undef HEED_KERNELS_CPU_ATTENTION_ROWS_INL_H_
#else
#define HEED_KERNELS_CPU_ATTENTION_ROWS_INL_H_
#endif

#include <cstdint>

#include "heed/kernels/cpu/simd_math-inl.h"
#include "heed/kernels/cpu/simd_memory-inl.h"
#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels::cpu {
namespace HWY_NAMESPACE {

// to = from
template <class From, class To>
HWY_INLINE void convert_row(const From* HWY_RESTRICT from, int64_t width, To* HWY_RESTRICT to) {
  const F32 d;
  for_each_vector(d, width, [&](int64_t j, int64_t n) HEED_INLINE_LAMBDA {
    store_n(d, load_n(d, from + j, n), to + j, n);
  });
}

// y += factor x
template <class T>
HWY_INLINE void add_scaled_row(float factor, const T* HWY_RESTRICT x, float* HWY_RESTRICT y, int64_t width) {
  const F32 d;
  const FloatVector f = hn::Set(d, factor);
  for_each_vector(d, width, [&](int64_t j, int64_t n) HEED_INLINE_LAMBDA {
    store_n(d, hn::MulAdd(f, load_n(d, x + j, n), load_n(d, y + j, n)), y + j, n);
  });
}

// x . y
template <class T>
HWY_INLINE float product_of(const float* HWY_RESTRICT x, const T* HWY_RESTRICT y, int64_t width) {
  const F32 d;
  FloatVector sum = hn::Zero(d);
  for_each_vector(d, width, [&](int64_t j, int64_t n) HEED_INLINE_LAMBDA {
    sum = hn::MulAdd(load_n(d, x + j, n), load_n(d, y + j, n), sum);
  });
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

// v . tanh(q + k), the additive score
template <class T>
HWY_INLINE float additive_score(const float* HWY_RESTRICT q, const T* HWY_RESTRICT k,
                                const float* HWY_RESTRICT v, int64_t width) {
  const F32 d;
  FloatVector sum = hn::Zero(d);
  for_each_vector(d, width, [&](int64_t j, int64_t n) HEED_INLINE_LAMBDA {
    const FloatVector squashed = tanh(d, hn::Add(load_n(d, q + j, n), load_n(d, k + j, n)));
    sum = hn::MulAdd(load_n(d, v + j, n), squashed, sum);
  });
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

// Adds to dq, dk and dv what the gradient `ds` of that score is to q, k and v.
template <class T>
HWY_INLINE void add_additive_gradient(float ds, const float* HWY_RESTRICT q, const T* HWY_RESTRICT k,
                                      const float* HWY_RESTRICT v, float* HWY_RESTRICT dq,
                                      float* HWY_RESTRICT dk, float* HWY_RESTRICT dv, int64_t width) {
  const F32 d;
  const FloatVector one = hn::Set(d, 1.0f), gradient = hn::Set(d, ds);
  for_each_vector(d, width, [&](int64_t j, int64_t n) HEED_INLINE_LAMBDA {
    const FloatVector squashed = tanh(d, hn::Add(load_n(d, q + j, n), load_n(d, k + j, n)));
    const FloatVector slope =
        hn::Mul(hn::Mul(gradient, load_n(d, v + j, n)), hn::NegMulAdd(squashed, squashed, one));
    store_n(d, hn::Add(load_n(d, dq + j, n), slope), dq + j, n);
    store_n(d, hn::Add(load_n(d, dk + j, n), slope), dk + j, n);
    store_n(d, hn::MulAdd(gradient, squashed, load_n(d, dv + j, n)), dv + j, n);
  });
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels::cpu
HWY_AFTER_NAMESPACE();

#endif  // toggle
