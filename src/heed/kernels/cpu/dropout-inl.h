// Dropout's factors for a stretch of columns, bit for bit those of DropoutRow. Included once a target, after
// highway.h.
#if defined(HEED_KERNELS_CPU_DROPOUT_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEED_KERNELS_CPU_DROPOUT_INL_H_
#undef HEED_KERNELS_CPU_DROPOUT_INL_H_
#else
#define HEED_KERNELS_CPU_DROPOUT_INL_H_
#endif

#include "heed/kernels/cpu/simd_memory-inl.h"
#include "heed/kernels/dropout.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels::cpu {
namespace HWY_NAMESPACE {

// Writes the factors (0 or scale) of columns first .. first + width - 1 of a row, first even. Whole vectors
// are written: factors has room for padded(width). One hash serves two columns, its halves in their order.
HWY_INLINE void dropout_factors(const Dropout& dropout, uint64_t row_key, int64_t first, int64_t width,
                                float* HWY_RESTRICT factors) {
  const hn::ScalableTag<uint32_t> d;
  const F32 df;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const DropoutRow row(dropout.key, row_key);
  const auto a = hn::Set(d, row.a), b = hn::Set(d, row.b);
  const auto threshold = hn::Set(d, dropout.threshold());
  const auto scale = hn::Set(df, dropout.scale());
  auto pair = hn::Iota(d, static_cast<uint32_t>(first / 2));
  for (int64_t c = 0; c < width; c += 2 * lanes) {
    auto h = hn::Xor(hn::Mul(pair, hn::Set(d, 0x9E3779B1u)), a);
    h = hn::Mul(hn::Xor(h, hn::ShiftRight<16>(h)), hn::Set(d, 0x85EBCA6Bu));
    h = hn::Mul(hn::Xor(h, hn::ShiftRight<13>(h)), b);
    h = hn::Xor(h, hn::ShiftRight<16>(h));
    const auto even = hn::And(h, hn::Set(d, 0xFFFFu)), odd = hn::ShiftRight<16>(h);
    const auto factor_of = [&](auto bits) HWY_ATTR {
      return hn::IfThenZeroElse(hn::RebindMask(df, hn::Lt(bits, threshold)), scale);
    };
    hn::StoreInterleaved2(factor_of(even), factor_of(odd), df, factors + c);
    pair = hn::Add(pair, hn::Set(d, static_cast<uint32_t>(lanes)));
  }
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels::cpu
HWY_AFTER_NAMESPACE();

#endif  // toggle
