#include "heed/kernels/cpu/softmax.h"

#include <limits>

#define HWY_TARGET_INCLUDE "heed/kernels/cpu/softmax.cc"
#include "heed/kernels/cpu/simd.h"

// After highway.h.
#include "heed/kernels/cpu/simd_math-inl.h"
#include "heed/kernels/cpu/simd_memory-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels::cpu::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using D = hn::CappedTag<float, 16>;
using V = hn::Vec<D>;
constexpr int64_t kLanes = static_cast<int64_t>(hn::MaxLanes(D()));

HWY_INLINE V first_lanes(D d, int64_t count, V value, float other) {
  return hn::IfThenElse(hn::FirstN(d, static_cast<size_t>(count)), value, hn::Set(d, other));
}
HWY_INLINE float sum_of(D d, V value) {
  return hn::GetLane(hn::SumOfLanes(d, value));
}

template <class E>
HWY_INLINE SliceSums exponentials(const float* logits, int64_t width, float shift, E* e) {
  const D d;
  const int64_t whole = width / kLanes * kLanes, rest = width - whole;
  const V shifts = hn::Set(d, shift);
  V sum = hn::Zero(d), total = hn::Zero(d);
  for (int64_t i = 0; i < whole; i += kLanes) {
    const V l = hn::LoadU(d, logits + i), value = exp(d, hn::Sub(l, shifts));
    if (e != nullptr) store(d, value, e + i);
    sum = hn::Add(sum, value);
    total = hn::Add(total, l);
  }
  if (rest > 0) {
    const V l = hn::LoadU(d, logits + whole), value = exp(d, hn::Sub(l, shifts));
    if (e != nullptr) store(d, value, e + whole);
    sum = hn::Add(sum, first_lanes(d, rest, value, 0.0f));
    total = hn::Add(total, first_lanes(d, rest, l, 0.0f));
  }
  return {sum_of(d, sum), sum_of(d, total)};
}
SliceSums exponentials_f32(const float* logits, int64_t width, float shift, float* e) {
  return exponentials(logits, width, shift, e);
}
SliceSums exponentials_bf16(const float* logits, int64_t width, float shift, Bf16* e) {
  return exponentials(logits, width, shift, e);
}

RowStatistics statistics(const float* logits, int64_t width) {
  const D d;
  constexpr float kLowest = std::numeric_limits<float>::lowest();
  const int64_t whole = width / kLanes * kLanes, rest = width - whole;
  V highest = hn::Set(d, kLowest);
  for (int64_t i = 0; i < whole; i += kLanes) highest = hn::Max(hn::LoadU(d, logits + i), highest);
  if (rest > 0) {
    highest = hn::Max(first_lanes(d, rest, hn::LoadU(d, logits + whole), kLowest), highest);
  }
  const float shift = hn::GetLane(hn::MaxOfLanes(d, highest));
  return {shift, exponentials<float>(logits, width, shift, nullptr).e};
}

template <class T>
HWY_INLINE void add_scaled(const T* row, int64_t width, float factor, float* sums) {
  const D d;
  const V factors = hn::Set(d, factor);
  int64_t i = 0;
  for (; i + kLanes <= width; i += kLanes) {
    hn::StoreU(hn::MulAdd(load(d, row + i), factors, hn::LoadU(d, sums + i)), d, sums + i);
  }
  for (; i < width; ++i) sums[i] += static_cast<float>(row[i]) * factor;
}
void add_scaled_f32(const float* row, int64_t width, float factor, float* sums) {
  add_scaled(row, width, factor, sums);
}
void add_scaled_bf16(const Bf16* row, int64_t width, float factor, float* sums) {
  add_scaled(row, width, factor, sums);
}

void subtract_here(float* row, int64_t width, float minus) {
  const D d;
  const V subtracted = hn::Set(d, minus);
  int64_t i = 0;
  for (; i + kLanes <= width; i += kLanes) {
    hn::StoreU(hn::Sub(hn::LoadU(d, row + i), subtracted), d, row + i);
  }
  for (; i < width; ++i) row[i] -= minus;
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
HWY_EXPORT(statistics);
HWY_EXPORT(exponentials_f32);
HWY_EXPORT(exponentials_bf16);
HWY_EXPORT(add_scaled_f32);
HWY_EXPORT(add_scaled_bf16);
HWY_EXPORT(subtract_here);
HWY_EXPORT(find_above_here);
}  // namespace

RowStatistics softmax_statistics(const float* logits, int64_t width) {
  return HEED_DISPATCH(statistics)(logits, width);
}

SliceSums softmax_exponentials(const float* logits, int64_t width, float shift, float* e) {
  return HEED_DISPATCH(exponentials_f32)(logits, width, shift, e);
}
SliceSums softmax_exponentials(const float* logits, int64_t width, float shift, Bf16* e) {
  return HEED_DISPATCH(exponentials_bf16)(logits, width, shift, e);
}

void add_scaled(const float* row, int64_t width, float factor, float* sums) {
  HEED_DISPATCH(add_scaled_f32)(row, width, factor, sums);
}
void add_scaled(const Bf16* row, int64_t width, float factor, float* sums) {
  HEED_DISPATCH(add_scaled_bf16)(row, width, factor, sums);
}

void subtract(float* row, int64_t width, float minus) {
  HEED_DISPATCH(subtract_here)(row, width, minus);
}

int64_t find_above(const float* row, int64_t begin, int64_t width, float threshold) {
  return HEED_DISPATCH(find_above_here)(row, begin, width, threshold);
}

}  // namespace heed::kernels::cpu
#endif
