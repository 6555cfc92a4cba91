// adam and squared_norm: both as fast as memory.
#include "heed/kernels/optimiser.h"

#include <algorithm>
#include <cmath>
#include <vector>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "heed/kernels/cpu/optimiser.cc"
#include "heed/kernels/cpu/simd.h"

// After highway.h.
#include "heed/kernels/cpu/simd_memory-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels::cpu {
namespace HWY_NAMESPACE {

void adam_range(const AdamArgs& args, int64_t begin, int64_t end) {
  const F32 d;
  const FloatVector gradient_scale = hn::Set(d, args.gradient_scale);
  const FloatVector beta1 = hn::Set(d, args.beta1), rest1 = hn::Set(d, 1.0f - args.beta1);
  const FloatVector beta2 = hn::Set(d, args.beta2), rest2 = hn::Set(d, 1.0f - args.beta2);
  // rate m / c1 / (sqrt(v / c2) + epsilon) with one division: multiplied through by sqrt(c2).
  const float root2 = std::sqrt(args.correction2);
  const FloatVector rate = hn::Set(d, args.rate * root2 / args.correction1);
  const FloatVector epsilon = hn::Set(d, args.epsilon * root2);
  const FloatVector keep = hn::Set(d, 1.0f - args.rate * args.decay);
  for_each_vector(d, end - begin, [&](int64_t offset, int64_t n) HEED_INLINE_LAMBDA {
    const int64_t i = begin + offset;
    const FloatVector g = hn::Mul(load_n(d, args.gradient + i, n), gradient_scale);
    const FloatVector m = hn::MulAdd(beta1, load_n(d, args.m + i, n), hn::Mul(rest1, g));
    const FloatVector v = hn::MulAdd(beta2, load_n(d, args.v + i, n), hn::Mul(hn::Mul(rest2, g), g));
    const FloatVector step = hn::Div(hn::Mul(rate, m), hn::Add(hn::Sqrt(v), epsilon));
    store_n(d, m, args.m + i, n);
    store_n(d, v, args.v + i, n);
    store_n(d, hn::MulSub(keep, load_n(d, args.weight + i, n), step), args.weight + i, n);
  });
}

// Sums in double, one an even and one an odd pair of lanes.
double squared_norm_range(int64_t size, const float* x) {
  const hn::ScalableTag<double> dd;
  const hn::Rebind<float, decltype(dd)> df;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(dd));
  auto sum = hn::Zero(dd), other = hn::Zero(dd);
  int64_t i = 0;
  for (; i + 2 * lanes <= size; i += 2 * lanes) {
    const auto a = hn::PromoteTo(dd, hn::LoadU(df, x + i));
    const auto b = hn::PromoteTo(dd, hn::LoadU(df, x + i + lanes));
    sum = hn::MulAdd(a, a, sum);
    other = hn::MulAdd(b, b, other);
  }
  double total = hn::GetLane(hn::SumOfLanes(dd, hn::Add(sum, other)));
  for (; i < size; ++i) total += static_cast<double>(x[i]) * static_cast<double>(x[i]);
  return total;
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::kernels {
namespace cpu {
HWY_EXPORT(adam_range);
HWY_EXPORT(squared_norm_range);
}  // namespace cpu

void adam(ThreadPool& pool, const AdamArgs& args) {
  const auto kernel = HEED_DISPATCH(cpu::adam_range);
  pool.run_ranges(args.size, 16384, [&](int64_t begin, int64_t end) { kernel(args, begin, end); });
}

double squared_norm(ThreadPool& pool, int64_t size, const float* x) {
  constexpr int64_t kChunk = 65536;
  const auto kernel = HEED_DISPATCH(cpu::squared_norm_range);
  std::vector<double> partial(static_cast<size_t>((size + kChunk - 1) / kChunk));
  pool.run_ranges(size, kChunk, [&](int64_t begin, int64_t end) {
    partial[begin / kChunk] = kernel(end - begin, x + begin);
  });
  double total = 0;
  for (const double part : partial) total += part;
  return total;
}

}  // namespace heed::kernels
#endif  // HWY_ONCE
