// The guide of kernels/guide.h with vectors. Included once a target, after highway.h.
#if defined(HEED_KERNELS_CPU_GUIDE_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef HEED_KERNELS_CPU_GUIDE_INL_H_
#undef HEED_KERNELS_CPU_GUIDE_INL_H_
#else
#define HEED_KERNELS_CPU_GUIDE_INL_H_
#endif

#include "heed/kernels/cpu/simd_math-inl.h"
#include "heed/kernels/cpu/simd_memory-inl.h"
#include "heed/kernels/guide.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels::cpu {
namespace HWY_NAMESPACE {

// The guide as one query of a sentence of `keys` sees it.
struct GuideRow {
  GuideRow(const Guide& guide, int64_t query_row, int64_t keys)
      : place(guide.places[query_row]), step(1.0f / static_cast<float>(keys)), sharpness(guide.sharpness()) {}

  float place, step, sharpness;
};

// W of the keys from `key` on, a vector of them.
HWY_INLINE FloatVector guide_penalties(const GuideRow& row, int64_t key) {
  const F32 d;
  const FloatVector keys = hn::Iota(d, static_cast<float>(key));
  const FloatVector distance = hn::MulSub(keys, hn::Set(d, row.step), hn::Set(d, row.place));
  const FloatVector near = exp(d, hn::Mul(hn::Mul(distance, distance), hn::Set(d, -row.sharpness)));
  return hn::Sub(hn::Set(d, 1.0f), near);
}

// The sum of weights times penalties over the keys from `key` on. Weights past `size` are zeros, up to whole
// vectors.
HWY_INLINE float guided_sum(const float* HWY_RESTRICT weights, int64_t size, const GuideRow& row,
                            int64_t key) {
  const F32 d;
  FloatVector sum = hn::Zero(d);
  for (int64_t j = 0; j < size; j += static_cast<int64_t>(hn::Lanes(d)))
    sum = hn::MulAdd(hn::LoadU(d, weights + j), guide_penalties(row, key + j), sum);
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels::cpu
HWY_AFTER_NAMESPACE();

#endif  // toggle
