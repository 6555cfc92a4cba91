// residual_norm and its gradient: a row is read from memory once and stays in L1 for the passes over it.
#include <algorithm>
#include <cmath>
#include <vector>

#include "heed/kernels/cpu/scratch.h"
#include "heed/kernels/layer.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "heed/kernels/cpu/layer_norm.cc"
#include "heed/kernels/cpu/simd.h"

// After highway.h.
#include "heed/kernels/cpu/dropout-inl.h"
#include "heed/kernels/cpu/simd_memory-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels::cpu {
namespace HWY_NAMESPACE {

struct RowUse {};

HWY_INLINE float sum_of(FloatVector v) {
  const F32 d;
  return hn::GetLane(hn::SumOfLanes(d, v));
}

template <class T>
void residual_norm_rows(const ResidualNormArgs<T>& args, int64_t begin, int64_t end) {
  const F32 d;
  const int64_t width = args.width;
  const bool drops = args.y != nullptr && args.dropout.threshold() != 0;
  float* HWY_RESTRICT sum = scratch<RowUse, float>(2 * padded(width));
  float* HWY_RESTRICT factors = sum + padded(width);
  for (int64_t r = begin; r < end; ++r) {
    const T* x = args.x + r * width;
    FloatVector total = hn::Zero(d);
    if (args.y == nullptr) {
      for_each_vector(d, width, [&](int64_t c, int64_t n) HEED_INLINE_LAMBDA {
        const FloatVector s = load_n(d, x + c, n);
        total = hn::Add(total, s);
        hn::StoreU(s, d, sum + c);
      });
    } else {
      const T* y = args.y + r * width;
      T* out = args.sum == nullptr ? nullptr : args.sum + r * width;
      if (drops) dropout_factors(args.dropout, args.row_keys[r], 0, width, factors);
      for_each_vector(d, width, [&](int64_t c, int64_t n) HEED_INLINE_LAMBDA {
        FloatVector s = load_n(d, y + c, n);
        if (drops) s = hn::Mul(s, hn::LoadU(d, factors + c));
        s = hn::Add(s, load_n(d, x + c, n));
        total = hn::Add(total, s);
        hn::StoreU(s, d, sum + c);
        if (out != nullptr) store_n(d, s, out + c, n);
      });
    }
    if (args.gain == nullptr) continue;

    const float mean = sum_of(total) / static_cast<float>(width);
    const FloatVector means = hn::Set(d, mean);
    FloatVector squares = hn::Zero(d);
    for_each_vector(d, width, [&](int64_t c, int64_t n) HEED_INLINE_LAMBDA {
      const FloatVector away = hn::Sub(load_n(d, sum + c, n), means);
      const FloatVector square = hn::Mul(away, away);
      squares = hn::Add(squares, n == static_cast<int64_t>(hn::Lanes(d))
                                     ? square
                                     : hn::IfThenElseZero(hn::FirstN(d, static_cast<size_t>(n)), square));
    });
    const float variance = sum_of(squares) / static_cast<float>(width);
    const float rstd = 1.0f / std::sqrt(variance + args.epsilon);
    const FloatVector rstds = hn::Set(d, rstd);
    T* normed = args.normed + r * width;
    for_each_vector(d, width, [&](int64_t c, int64_t n) HEED_INLINE_LAMBDA {
      const FloatVector unit = hn::Mul(hn::Sub(load_n(d, sum + c, n), means), rstds);
      store_n(d, hn::MulAdd(unit, load_n(d, args.gain + c, n), load_n(d, args.bias + c, n)), normed + c, n);
    });
    if (args.mean != nullptr) args.mean[r] = mean;
    if (args.rstd != nullptr) args.rstd[r] = rstd;
  }
}

// Rows [begin, end) of d_x and d_y; their part of d_gain and d_bias into the two accumulators, which start at
// zero.
template <class T>
void residual_norm_gradient_rows(const ResidualNormGradientArgs<T>& args, int64_t begin, int64_t end,
                                 float* HWY_RESTRICT d_gain, float* HWY_RESTRICT d_bias) {
  const F32 d;
  const int64_t width = args.width;
  const bool norm = args.gain != nullptr;
  const bool drops = args.d_y != nullptr && args.dropout.threshold() != 0;
  float* HWY_RESTRICT factors = scratch<RowUse, float>(padded(width));
  for (int64_t r = begin; r < end; ++r) {
    const T* sum = args.sum + r * width;
    const T* d_normed = args.d_normed + r * width;
    FloatVector mean_g = hn::Zero(d), mean_gn = hn::Zero(d);
    FloatVector means = hn::Zero(d), rstds = hn::Zero(d);
    if (norm) {
      means = hn::Set(d, args.mean[r]);
      rstds = hn::Set(d, args.rstd[r]);
      for_each_vector(d, width, [&](int64_t c, int64_t n) HEED_INLINE_LAMBDA {
        const FloatVector dy = load_n(d, d_normed + c, n);  // zeros past the row's end
        const FloatVector unit = hn::Mul(hn::Sub(load_n(d, sum + c, n), means), rstds);
        const FloatVector g = hn::Mul(dy, load_n(d, args.gain + c, n));
        mean_g = hn::Add(mean_g, g);
        mean_gn = hn::MulAdd(g, unit, mean_gn);
        store_n(d, hn::MulAdd(dy, unit, load_n(d, d_gain + c, n)), d_gain + c, n);
        store_n(d, hn::Add(dy, load_n(d, d_bias + c, n)), d_bias + c, n);
      });
      mean_g = hn::Set(d, sum_of(mean_g) / static_cast<float>(width));
      mean_gn = hn::Set(d, sum_of(mean_gn) / static_cast<float>(width));
    }
    if (drops) dropout_factors(args.dropout, args.row_keys[r], 0, width, factors);
    const T* d_sum = args.d_sum == nullptr ? nullptr : args.d_sum + r * width;
    T* d_x = args.d_x + r * width;
    T* d_y = args.d_y == nullptr ? nullptr : args.d_y + r * width;
    for_each_vector(d, width, [&](int64_t c, int64_t n) HEED_INLINE_LAMBDA {
      FloatVector ds = hn::Zero(d);
      if (norm) {
        const FloatVector unit = hn::Mul(hn::Sub(load_n(d, sum + c, n), means), rstds);
        const FloatVector g = hn::Mul(load_n(d, d_normed + c, n), load_n(d, args.gain + c, n));
        ds = hn::Mul(rstds, hn::NegMulAdd(unit, mean_gn, hn::Sub(g, mean_g)));
      }
      if (d_sum != nullptr) ds = hn::Add(ds, load_n(d, d_sum + c, n));
      store_n(d, ds, d_x + c, n);
      if (d_y == nullptr) return;
      if (drops) ds = hn::Mul(ds, hn::LoadU(d, factors + c));
      store_n(d, ds, d_y + c, n);
    });
  }
}

void residual_norm_f32(const ResidualNormArgs<float>& args, int64_t begin, int64_t end) {
  residual_norm_rows(args, begin, end);
}
void residual_norm_bf16(const ResidualNormArgs<Bf16>& args, int64_t begin, int64_t end) {
  residual_norm_rows(args, begin, end);
}
void residual_norm_gradient_f32(const ResidualNormGradientArgs<float>& args, int64_t begin, int64_t end,
                                float* d_gain, float* d_bias) {
  residual_norm_gradient_rows(args, begin, end, d_gain, d_bias);
}
void residual_norm_gradient_bf16(const ResidualNormGradientArgs<Bf16>& args, int64_t begin, int64_t end,
                                 float* d_gain, float* d_bias) {
  residual_norm_gradient_rows(args, begin, end, d_gain, d_bias);
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::kernels {
namespace cpu {
HWY_EXPORT(residual_norm_f32);
HWY_EXPORT(residual_norm_bf16);
HWY_EXPORT(residual_norm_gradient_f32);
HWY_EXPORT(residual_norm_gradient_bf16);
}  // namespace cpu

namespace {

// Rows a piece of the forward pass.
int64_t grain(int64_t width) {
  return std::max<int64_t>(1, 16384 / std::max<int64_t>(1, width));
}

template <class Args, class Kernel>
void gradient_in_chunks(ThreadPool& pool, const Args& args, Kernel kernel) {
  const int64_t chunks = (args.rows + kParameterChunkRows - 1) / kParameterChunkRows;
  const bool norm = args.gain != nullptr;
  const int64_t stride = args.width;
  std::vector<float> partial(norm ? static_cast<size_t>(2 * chunks * stride) : 0);
  pool.run(chunks, [&](int64_t chunk) {
    float* d_gain = norm ? partial.data() + 2 * chunk * stride : nullptr;
    const int64_t begin = chunk * kParameterChunkRows;
    kernel(args, begin, std::min(args.rows, begin + kParameterChunkRows), d_gain,
           norm ? d_gain + stride : nullptr);
  });
  const auto combine = [&](const float* from, float* to) {
    if (to == nullptr) return;
    std::fill_n(to, args.width, 0.0f);
    for (int64_t chunk = 0; chunk < chunks; ++chunk)
      for (int64_t c = 0; c < args.width; ++c) to[c] += from[2 * chunk * stride + c];
  };
  if (!norm) return;
  combine(partial.data(), args.d_gain);
  combine(partial.data() + stride, args.d_bias);
}

}  // namespace

void residual_norm(ThreadPool& pool, const ResidualNormArgs<float>& args) {
  const auto kernel = HEED_DISPATCH(cpu::residual_norm_f32);
  pool.run_ranges(args.rows, grain(args.width),
                  [&](int64_t begin, int64_t end) { kernel(args, begin, end); });
}
void residual_norm(ThreadPool& pool, const ResidualNormArgs<Bf16>& args) {
  const auto kernel = HEED_DISPATCH(cpu::residual_norm_bf16);
  pool.run_ranges(args.rows, grain(args.width),
                  [&](int64_t begin, int64_t end) { kernel(args, begin, end); });
}
void residual_norm_gradient(ThreadPool& pool, const ResidualNormGradientArgs<float>& args) {
  gradient_in_chunks(pool, args, HEED_DISPATCH(cpu::residual_norm_gradient_f32));
}
void residual_norm_gradient(ThreadPool& pool, const ResidualNormGradientArgs<Bf16>& args) {
  gradient_in_chunks(pool, args, HEED_DISPATCH(cpu::residual_norm_gradient_bf16));
}

}  // namespace heed::kernels
#endif  // HWY_ONCE
