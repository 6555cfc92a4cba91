#include "heed/kernels/cpu/softmax.h"

#include <limits>

#define HWY_TARGET_INCLUDE "heed/kernels/cpu/softmax.cc"
#include "heed/kernels/cpu/simd.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels::cpu::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;
constexpr int64_t kLanes = static_cast<int64_t>(hn::MaxLanes(D()));

// e^x for x <= 0, within 2 units of the last place; 0 where e^x would not be a normal number; NaN stays.
// x = n ln 2 + r with |r| <= ln(2) / 2, e^r by its series.
HWY_INLINE V exp_negative(D d, V x) {
  const V lowest = hn::Set(d, -87.0f);
  const V n = hn::Round(hn::Mul(hn::Max(lowest, hn::Min(x, hn::Zero(d))), hn::Set(d, 1.44269504f)));
  V r = hn::NegMulAdd(n, hn::Set(d, 0.693359375f), x);
  r = hn::NegMulAdd(n, hn::Set(d, -2.12194440e-4f), r);
  V p = hn::Set(d, 1.0f / 720);
  p = hn::MulAdd(p, r, hn::Set(d, 1.0f / 120));
  p = hn::MulAdd(p, r, hn::Set(d, 1.0f / 24));
  p = hn::MulAdd(p, r, hn::Set(d, 1.0f / 6));
  p = hn::MulAdd(p, r, hn::Set(d, 0.5f));
  p = hn::MulAdd(p, r, hn::Set(d, 1.0f));
  p = hn::MulAdd(p, r, hn::Set(d, 1.0f));
  const hn::RebindToSigned<D> di;
  const auto exponent = hn::Add(hn::ConvertTo(di, n), hn::Set(di, 127));
  const V result = hn::Mul(p, hn::BitCast(d, hn::ShiftLeft<23>(exponent)));
  return hn::IfThenZeroElse(hn::Lt(x, lowest), result);
}

HWY_INLINE V first_lanes(D d, int64_t count, V value, float other) {
  return hn::IfThenElse(hn::FirstN(d, static_cast<size_t>(count)), value, hn::Set(d, other));
}

template <bool kStore, class Float>
RowStatistics statistics(Float* row, int64_t width) {
  const D d;
  constexpr float kLowest = std::numeric_limits<float>::lowest();
  const int64_t whole = width / kLanes * kLanes, rest = width - whole;
  V highest = hn::Set(d, kLowest), total = hn::Zero(d);
  for (int64_t i = 0; i < whole; i += kLanes) {
    const V l = hn::LoadU(d, row + i);
    highest = hn::Max(l, highest);
    total = hn::Add(total, l);
  }
  if (rest > 0) {
    const V l = hn::LoadU(d, row + whole);
    highest = hn::Max(first_lanes(d, rest, l, kLowest), highest);
    total = hn::Add(total, first_lanes(d, rest, l, 0.0f));
  }
  const V shift = hn::MaxOfLanes(d, highest);
  V sum = hn::Zero(d);
  for (int64_t i = 0; i < whole; i += kLanes) {
    const V e = exp_negative(d, hn::Sub(hn::LoadU(d, row + i), shift));
    if constexpr (kStore) hn::StoreU(e, d, row + i);
    sum = hn::Add(sum, e);
  }
  if (rest > 0) {
    const V e = exp_negative(d, hn::Sub(hn::LoadU(d, row + whole), shift));
    sum = hn::Add(sum, first_lanes(d, rest, e, 0.0f));
    if constexpr (kStore) hn::StoreU(e, d, row + whole);
  }
  return {hn::GetLane(shift), hn::GetLane(hn::SumOfLanes(d, sum)), hn::GetLane(hn::SumOfLanes(d, total))};
}

RowStatistics statistics_only(const float* logits, int64_t width) {
  return statistics<false>(logits, width);
}
RowStatistics statistics_and_exponentials(float* logits, int64_t width) {
  return statistics<true>(logits, width);
}

void scale_row_here(float* row, int64_t width, float factor, float minus, float* sums) {
  const D d;
  const V f = hn::Set(d, factor), m = hn::Set(d, minus);
  int64_t i = 0;
  for (; i + kLanes <= width; i += kLanes) {
    const V value = hn::MulSub(hn::LoadU(d, row + i), f, m);
    hn::StoreU(value, d, row + i);
    if (sums != nullptr) hn::StoreU(hn::Add(hn::LoadU(d, sums + i), value), d, sums + i);
  }
  for (; i < width; ++i) {
    row[i] = row[i] * factor - minus;
    if (sums != nullptr) sums[i] += row[i];
  }
}

int64_t find_above_here(const float* row, int64_t begin, int64_t width, float threshold) {
  const D d;
  const V t = hn::Set(d, threshold);
  int64_t i = begin;
  for (; i + kLanes <= width; i += kLanes) {
    const auto above = hn::Gt(hn::LoadU(d, row + i), t);
    if (!hn::AllFalse(d, above)) return i + hn::FindFirstTrue(d, above);
  }
  while (i < width && !(row[i] > threshold)) ++i;
  return i;
}

}  // namespace
}  // namespace heed::kernels::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::kernels::cpu {
namespace {
HWY_EXPORT(statistics_only);
HWY_EXPORT(statistics_and_exponentials);
HWY_EXPORT(scale_row_here);
HWY_EXPORT(find_above_here);
}  // namespace

RowStatistics softmax_statistics(const float* logits, int64_t width) {
  return HEED_DISPATCH(statistics_only)(logits, width);
}
RowStatistics softmax_exponentials(float* logits, int64_t width) {
  return HEED_DISPATCH(statistics_and_exponentials)(logits, width);
}

void scale_row(float* row, int64_t width, float factor, float minus, float* sums) {
  HEED_DISPATCH(scale_row_here)(row, width, factor, minus, sums);
}

int64_t find_above(const float* row, int64_t begin, int64_t width, float threshold) {
  return HEED_DISPATCH(find_above_here)(row, begin, width, threshold);
}

}  // namespace heed::kernels::cpu
#endif
