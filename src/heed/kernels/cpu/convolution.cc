// Depthwise convolution over positions, and the gradient of its weights.
#include "heed/kernels/convolution.h"

#include <algorithm>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "heed/kernels/cpu/convolution.cc"
#include "heed/kernels/cpu/simd.h"

// After highway.h.
#include "heed/kernels/cpu/simd_memory-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels::cpu {
namespace HWY_NAMESPACE {

// The taps [first, end) of the row `r` that fall into its sentence, rows [begin, end_row).
struct TapRange {
  int64_t first, end;
  TapRange(int64_t taps, int64_t left, int64_t r, int64_t begin, int64_t end_row)
      : first(left - (r - begin) > 0 ? left - (r - begin) : 0),
        end(left + end_row - r < taps ? left + end_row - r : taps) {}
};

// Columns [begin, end) of all rows. A row's sum stays in a register while its taps pass by.
template <class T>
void convolve_columns(const DepthwiseConvolutionArgs<T>& args, int64_t begin, int64_t end) {
  const F32 d;
  const int64_t width = args.width, left = args.back ? args.taps - 1 - args.left : args.left;
  for (int64_t b = 0; b < args.sentences; ++b) {
    for (int64_t r = args.offsets[b]; r < args.offsets[b + 1]; ++r) {
      const TapRange taps(args.taps, left, r, args.offsets[b], args.offsets[b + 1]);
      for_each_vector(d, end - begin, [&](int64_t c, int64_t n) HEED_INLINE_LAMBDA {
        FloatVector sum = hn::Zero(d);
        for (int64_t k = taps.first; k < taps.end; ++k) {
          const int64_t tap = args.back ? args.taps - 1 - k : k;
          sum = hn::MulAdd(load_n(d, args.weights + tap * width + begin + c, n),
                           load_n(d, args.x + (r + k - left) * width + begin + c, n), sum);
        }
        store_n(d, sum, args.y + r * width + begin + c, n);
      });
    }
  }
}

// The same columns of all taps, which stay in L1 while the rows pass by.
template <class T>
void weight_gradient_columns(const DepthwiseConvolutionWeightGradientArgs<T>& args, int64_t begin,
                             int64_t end) {
  const F32 d;
  const int64_t width = args.width;
  for (int64_t k = 0; k < args.taps; ++k)
    std::fill(args.d_weights + k * width + begin, args.d_weights + k * width + end, 0.0f);
  for (int64_t b = 0; b < args.sentences; ++b) {
    for (int64_t r = args.offsets[b]; r < args.offsets[b + 1]; ++r) {
      const TapRange taps(args.taps, args.left, r, args.offsets[b], args.offsets[b + 1]);
      for_each_vector(d, end - begin, [&](int64_t c, int64_t n) HEED_INLINE_LAMBDA {
        const FloatVector dy = load_n(d, args.dy + r * width + begin + c, n);
        for (int64_t k = taps.first; k < taps.end; ++k) {
          float* dw = args.d_weights + k * width + begin + c;
          const FloatVector x = load_n(d, args.x + (r + k - args.left) * width + begin + c, n);
          store_n(d, hn::MulAdd(dy, x, load_n(d, dw, n)), dw, n);
        }
      });
    }
  }
}

void convolve_f32(const DepthwiseConvolutionArgs<float>& args, int64_t begin, int64_t end) {
  convolve_columns(args, begin, end);
}
void convolve_bf16(const DepthwiseConvolutionArgs<Bf16>& args, int64_t begin, int64_t end) {
  convolve_columns(args, begin, end);
}
void weight_gradient_f32(const DepthwiseConvolutionWeightGradientArgs<float>& args, int64_t begin,
                         int64_t end) {
  weight_gradient_columns(args, begin, end);
}
void weight_gradient_bf16(const DepthwiseConvolutionWeightGradientArgs<Bf16>& args, int64_t begin,
                          int64_t end) {
  weight_gradient_columns(args, begin, end);
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::kernels {
namespace cpu {
HWY_EXPORT(convolve_f32);
HWY_EXPORT(convolve_bf16);
HWY_EXPORT(weight_gradient_f32);
HWY_EXPORT(weight_gradient_bf16);
}  // namespace cpu

namespace {

// Columns know nothing of each other; a piece is whole cache lines of each row.
template <class Args, class Kernel>
void by_columns(ThreadPool& pool, const Args& args, Kernel kernel) {
  constexpr int64_t kColumns = 64;
  pool.run_ranges(args.width, kColumns, [&](int64_t begin, int64_t end) { kernel(args, begin, end); });
}

}  // namespace

void depthwise_convolution(ThreadPool& pool, const DepthwiseConvolutionArgs<float>& args) {
  by_columns(pool, args, HEED_DISPATCH(cpu::convolve_f32));
}
void depthwise_convolution(ThreadPool& pool, const DepthwiseConvolutionArgs<Bf16>& args) {
  by_columns(pool, args, HEED_DISPATCH(cpu::convolve_bf16));
}
void depthwise_convolution_weight_gradient(ThreadPool& pool,
                                           const DepthwiseConvolutionWeightGradientArgs<float>& args) {
  by_columns(pool, args, HEED_DISPATCH(cpu::weight_gradient_f32));
}
void depthwise_convolution_weight_gradient(ThreadPool& pool,
                                           const DepthwiseConvolutionWeightGradientArgs<Bf16>& args) {
  by_columns(pool, args, HEED_DISPATCH(cpu::weight_gradient_bf16));
}

}  // namespace heed::kernels
#endif  // HWY_ONCE
