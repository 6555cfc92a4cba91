// activate, its gradient, add_to and convert.
#include <algorithm>

#include "heed/kernels/cpu/product.h"
#include "heed/kernels/cpu/scratch.h"
#include "heed/kernels/layer.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "heed/kernels/cpu/layer_activation.cc"
#include "heed/kernels/cpu/simd.h"

// After highway.h.
#include "heed/kernels/cpu/dropout-inl.h"
#include "heed/kernels/cpu/simd_math-inl.h"
#include "heed/kernels/cpu/simd_memory-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels::cpu {
namespace HWY_NAMESPACE {

struct RowUse {};

template <Activation kActivation>
HWY_INLINE FloatVector value_of(FloatVector x) {
  const F32 d;
  if constexpr (kActivation == Activation::relu)
    return hn::IfThenZeroElse(hn::Lt(x, hn::Zero(d)), x);
  else if constexpr (kActivation == Activation::squared_relu)
    return hn::IfThenZeroElse(hn::Lt(x, hn::Zero(d)), hn::Mul(x, x));
  else if constexpr (kActivation == Activation::gelu)
    return hn::Mul(x, normal_cdf(d, x));
  else if constexpr (kActivation == Activation::tanh)
    return tanh(d, x);
  else if constexpr (kActivation == Activation::sigmoid)
    return sigmoid(d, x);
  else
    return x;
}

template <Activation kActivation>
HWY_INLINE FloatVector slope_of(FloatVector x) {
  const F32 d;
  const FloatVector one = hn::Set(d, 1.0f);
  if constexpr (kActivation == Activation::relu) {
    return hn::IfThenElseZero(hn::Gt(x, hn::Zero(d)), one);
  } else if constexpr (kActivation == Activation::squared_relu) {
    return hn::IfThenElseZero(hn::Gt(x, hn::Zero(d)), hn::Add(x, x));
  } else if constexpr (kActivation == Activation::gelu) {
    const FloatVector density = exp(d, hn::Mul(hn::Mul(x, x), hn::Set(d, -0.5f)));
    return hn::MulAdd(hn::Mul(x, density), hn::Set(d, 0.398942280f), normal_cdf(d, x));
  } else if constexpr (kActivation == Activation::tanh) {
    return hn::NegMulAdd(x, x, one);
  } else if constexpr (kActivation == Activation::sigmoid) {
    return hn::Mul(x, hn::Sub(one, x));
  } else {
    return one;
  }
}

template <Activation kActivation, class T>
HWY_NOINLINE void activate_with(const ActivationArgs<T>& args, int64_t begin, int64_t end) {
  const F32 d;
  const bool drops = args.dropout.threshold() != 0;
  float* HWY_RESTRICT factors = scratch<RowUse, float>(padded(args.width));
  for (int64_t r = begin; r < end; ++r) {
    const T* x = args.x + r * args.width;
    T* y = args.y + r * args.width;
    if (drops) dropout_factors(args.dropout, args.row_keys[r], 0, args.width, factors);
    for_each_vector(d, args.width, [&](int64_t c, int64_t n) HEED_INLINE_LAMBDA {
      FloatVector value = value_of<kActivation>(load_n(d, x + c, n));
      if (drops) value = hn::Mul(value, hn::LoadU(d, factors + c));
      store_n(d, value, y + c, n);
    });
  }
}

template <Activation kActivation, class T>
HWY_NOINLINE void activate_gradient_with(const ActivationGradientArgs<T>& args, int64_t begin, int64_t end) {
  const F32 d;
  const bool drops = args.dropout.threshold() != 0;
  float* HWY_RESTRICT factors = scratch<RowUse, float>(padded(args.width));
  for (int64_t r = begin; r < end; ++r) {
    const T* x = args.x + r * args.width;
    const T* dy = args.dy + r * args.width;
    T* dx = args.dx + r * args.width;
    if (drops) dropout_factors(args.dropout, args.row_keys[r], 0, args.width, factors);
    for_each_vector(d, args.width, [&](int64_t c, int64_t n) HEED_INLINE_LAMBDA {
      FloatVector value = load_n(d, dy + c, n);
      if (drops) value = hn::Mul(value, hn::LoadU(d, factors + c));
      if constexpr (kActivation != Activation::none)
        value = hn::Mul(value, slope_of<kActivation>(load_n(d, x + c, n)));
      store_n(d, value, dx + c, n);
    });
  }
}

template <class T>
void activate_rows(const ActivationArgs<T>& args, int64_t begin, int64_t end) {
  switch (args.activation) {
    case Activation::none:
      return activate_with<Activation::none>(args, begin, end);
    case Activation::relu:
      return activate_with<Activation::relu>(args, begin, end);
    case Activation::squared_relu:
      return activate_with<Activation::squared_relu>(args, begin, end);
    case Activation::gelu:
      return activate_with<Activation::gelu>(args, begin, end);
    case Activation::tanh:
      return activate_with<Activation::tanh>(args, begin, end);
    case Activation::sigmoid:
      return activate_with<Activation::sigmoid>(args, begin, end);
  }
}

template <class T>
void activate_gradient_rows(const ActivationGradientArgs<T>& args, int64_t begin, int64_t end) {
  switch (args.activation) {
    case Activation::none:
      return activate_gradient_with<Activation::none>(args, begin, end);
    case Activation::relu:
      return activate_gradient_with<Activation::relu>(args, begin, end);
    case Activation::squared_relu:
      return activate_gradient_with<Activation::squared_relu>(args, begin, end);
    case Activation::gelu:
      return activate_gradient_with<Activation::gelu>(args, begin, end);
    case Activation::tanh:
      return activate_gradient_with<Activation::tanh>(args, begin, end);
    case Activation::sigmoid:
      return activate_gradient_with<Activation::sigmoid>(args, begin, end);
  }
}

template <class X, class Y>
void add_range(int64_t size, const X* x, Y* y) {
  const F32 d;
  for_each_vector(d, size, [&](int64_t i, int64_t n) HEED_INLINE_LAMBDA {
    store_n(d, hn::Add(load_n(d, y + i, n), load_n(d, x + i, n)), y + i, n);
  });
}

void activate_f32(const ActivationArgs<float>& args, int64_t begin, int64_t end) {
  activate_rows(args, begin, end);
}
void activate_bf16(const ActivationArgs<Bf16>& args, int64_t begin, int64_t end) {
  activate_rows(args, begin, end);
}
void activate_gradient_f32(const ActivationGradientArgs<float>& args, int64_t begin, int64_t end) {
  activate_gradient_rows(args, begin, end);
}
void activate_gradient_bf16(const ActivationGradientArgs<Bf16>& args, int64_t begin, int64_t end) {
  activate_gradient_rows(args, begin, end);
}
void add_f32(int64_t size, const float* x, float* y) {
  add_range(size, x, y);
}
void add_bf16(int64_t size, const Bf16* x, Bf16* y) {
  add_range(size, x, y);
}
void add_bf16_to_f32(int64_t size, const Bf16* x, float* y) {
  add_range(size, x, y);
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::kernels {
namespace cpu {
HWY_EXPORT(activate_f32);
HWY_EXPORT(activate_bf16);
HWY_EXPORT(activate_gradient_f32);
HWY_EXPORT(activate_gradient_bf16);
HWY_EXPORT(add_f32);
HWY_EXPORT(add_bf16);
HWY_EXPORT(add_bf16_to_f32);
}  // namespace cpu

namespace {

constexpr int64_t kPieceElements = 16384;

template <class Args, class Kernel>
void by_rows(ThreadPool& pool, const Args& args, Kernel kernel) {
  const int64_t grain = std::max<int64_t>(1, kPieceElements / std::max<int64_t>(1, args.width));
  pool.run_ranges(args.rows, grain, [&](int64_t begin, int64_t end) { kernel(args, begin, end); });
}

}  // namespace

void activate(ThreadPool& pool, const ActivationArgs<float>& args) {
  by_rows(pool, args, HEED_DISPATCH(cpu::activate_f32));
}
void activate(ThreadPool& pool, const ActivationArgs<Bf16>& args) {
  by_rows(pool, args, HEED_DISPATCH(cpu::activate_bf16));
}
void activate_gradient(ThreadPool& pool, const ActivationGradientArgs<float>& args) {
  by_rows(pool, args, HEED_DISPATCH(cpu::activate_gradient_f32));
}
void activate_gradient(ThreadPool& pool, const ActivationGradientArgs<Bf16>& args) {
  by_rows(pool, args, HEED_DISPATCH(cpu::activate_gradient_bf16));
}

namespace {

template <class X, class Y>
void add_pieces(ThreadPool& pool, int64_t size, const X* x, Y* y, void (*kernel)(int64_t, const X*, Y*)) {
  pool.run_ranges(size, kPieceElements,
                  [&](int64_t begin, int64_t end) { kernel(end - begin, x + begin, y + begin); });
}

template <class From, class To>
void convert_pieces(ThreadPool& pool, int64_t rows, int64_t width, const From* x, int64_t x_stride, To* y) {
  const int64_t grain = std::max<int64_t>(1, kPieceElements / std::max<int64_t>(1, width));
  pool.run_ranges(rows, grain, [&](int64_t begin, int64_t end) {
    cpu::convert_rows(x + begin * x_stride, x_stride, end - begin, width, y + begin * width, width);
  });
}

}  // namespace

void add_to(ThreadPool& pool, int64_t size, const float* x, float* y) {
  add_pieces(pool, size, x, y, HEED_DISPATCH(cpu::add_f32));
}
void add_to(ThreadPool& pool, int64_t size, const Bf16* x, Bf16* y) {
  add_pieces(pool, size, x, y, HEED_DISPATCH(cpu::add_bf16));
}
void add_to(ThreadPool& pool, int64_t size, const Bf16* x, float* y) {
  add_pieces(pool, size, x, y, HEED_DISPATCH(cpu::add_bf16_to_f32));
}
void convert(ThreadPool& pool, int64_t rows, int64_t width, const float* x, int64_t x_stride, float* y) {
  convert_pieces(pool, rows, width, x, x_stride, y);
}
void convert(ThreadPool& pool, int64_t rows, int64_t width, const float* x, int64_t x_stride, Bf16* y) {
  convert_pieces(pool, rows, width, x, x_stride, y);
}
void convert(ThreadPool& pool, int64_t rows, int64_t width, const Bf16* x, int64_t x_stride, float* y) {
  convert_pieces(pool, rows, width, x, x_stride, y);
}

}  // namespace heed::kernels
#endif  // HWY_ONCE
