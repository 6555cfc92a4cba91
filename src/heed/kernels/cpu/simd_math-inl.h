// Elementary functions on vectors of f32. Polynomials are Chebyshev fits made for heed; error bounds, in
// units in the last place of the result (ulp) or absolute, are tested over the whole range on every level.
// NaN gives NaN. Included once a target, after highway.h.
#if defined(HEED_KERNELS_CPU_SIMD_MATH_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEED_KERNELS_CPU_SIMD_MATH_INL_H_
#undef HEED_KERNELS_CPU_SIMD_MATH_INL_H_
#else
#define HEED_KERNELS_CPU_SIMD_MATH_INL_H_
#endif

#include "hwy/highway.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels::cpu {
namespace HWY_NAMESPACE {

namespace hn = hwy::HWY_NAMESPACE;

// c0 + c1 x + c2 x^2 + ... by Horner's rule.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V polynomial(D d, V, float c) {
  return hn::Set(d, c);
}
template <class D, class V = hn::Vec<D>, class... More>
HWY_INLINE V polynomial(D d, V x, float c, More... more) {
  return hn::MulAdd(polynomial(d, x, more...), x, hn::Set(d, c));
}

// x = n ln 2 + r with |r| <= ln 2 / 2. Both parts of ln 2 have zeros at their ends, so that n times the first
// is exact.
template <class D, class V = hn::Vec<D>>
struct ExpParts {
  hn::Vec<hn::RebindToSigned<D>> n;
  V r;
};
template <class D, class V = hn::Vec<D>>
HWY_INLINE ExpParts<D> exp_parts(D d, V x) {
  const auto n = hn::NearestInt(hn::Mul(x, hn::Set(d, 1.44269504f)));
  const V whole = hn::ConvertTo(d, n);
  const V r = hn::NegMulAdd(whole, hn::Set(d, 0.693359375f), x);
  return {n, hn::NegMulAdd(whole, hn::Set(d, -2.12194440e-4f), r)};
}

// e^r - 1 for |r| <= ln 2 / 2, exact to an ulp of itself.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V expm1_near_zero(D d, V r) {
  const V p = polynomial(d, r, 0.5f, 0.166665763f, 0.0416665524f, 0.00836324692f, 0.00139262679f);
  return hn::MulAdd(hn::Mul(r, r), p, r);
}

// v * 2^n while the result is a normal number.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V times_power_of_two(D d, V v, hn::Vec<hn::RebindToSigned<D>> n) {
  const hn::RebindToSigned<D> di;
  return hn::BitCast(d, hn::Add(hn::BitCast(di, v), hn::ShiftLeft<23>(n)));
}

// 2 ulp; results under 2^-126 are 0.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V exp(D d, V x) {
  const ExpParts<D> parts = exp_parts(d, x);
  V y = times_power_of_two(d, hn::Add(expm1_near_zero(d, parts.r), hn::Set(d, 1.0f)), parts.n);
  y = hn::IfThenZeroElse(hn::Lt(x, hn::Set(d, -87.33654f)), y);
  return hn::IfThenElse(hn::Lt(x, hn::Set(d, 88.722839f)), y, hn::Add(x, hn::Inf(d)));  // NaN goes this way
}

// 4 ulp: with e = exp(2|x|) - 1, tanh |x| = e / (e + 2).
template <class D, class V = hn::Vec<D>>
HWY_INLINE V tanh(D d, V x) {
  const V size = hn::Abs(x);
  const V doubled = hn::Add(size, size);
  const ExpParts<D> parts = exp_parts(d, doubled);
  const V one = hn::Set(d, 1.0f);
  const V power = times_power_of_two(d, one, parts.n);
  const V e = hn::MulAdd(expm1_near_zero(d, parts.r), power, hn::Sub(power, one));
  V y = hn::Div(e, hn::Add(e, hn::Set(d, 2.0f)));
  y = hn::IfThenElse(hn::Gt(size, hn::Set(d, 9.1f)), one, y);
  return hn::CopySign(y, x);
}

// 4 ulp; results under 2^-127 are 0.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V sigmoid(D d, V x) {
  const V one = hn::Set(d, 1.0f);
  return hn::Div(one, hn::Add(one, exp(d, hn::Neg(x))));
}

// 3e-7 absolute, and relative near 0. From 0.93 on by the logarithm of 1 - erf, which is almost a parabola.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V erf(D d, V x) {
  const V square = hn::Mul(x, x);
  const V near = hn::Mul(x, polynomial(d, square, 1.12837911f, -0.376124889f, 0.112817541f, -0.0267639942f,
                                       0.00498890597f, -0.000596731086f));
  const V size = hn::Min(hn::Abs(x), hn::Set(d, 4.0f));
  const V log_rest =
      polynomial(d, size, 3.21111293e-4f, -1.13023984f, -0.631811619f, -0.110096492f, 0.0264318138f,
                 -0.00476374943f, 5.97761071e-4f, -4.61780000e-5f, 1.64348717e-6f);
  const V far = hn::CopySign(hn::Sub(hn::Set(d, 1.0f), exp(d, log_rest)), x);
  const auto is_far = hn::Gt(hn::Abs(x), hn::Set(d, 0.93f));  // false for NaN: near keeps it
  return hn::IfThenElse(is_far, far, near);
}

// (1 + erf(x / sqrt 2)) / 2, the normal distribution's cumulative function.
template <class D, class V = hn::Vec<D>>
HWY_INLINE V normal_cdf(D d, V x) {
  const V half = hn::Set(d, 0.5f);
  return hn::MulAdd(erf(d, hn::Mul(x, hn::Set(d, 0.707106781f))), half, half);
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels::cpu
HWY_AFTER_NAMESPACE();

#endif  // toggle
