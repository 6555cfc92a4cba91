// Plain products, the measure of every faster one. T is float, double or Bf16; sums are float, or double for
// double. Letters as in kernels/matmul.h: R rows, K inner width, N outer width.
#pragma once

#include <cstdint>
#include <type_traits>

namespace heed::kernels::reference {

template <class T>
using Sum = std::conditional_t<std::is_same_v<T, double>, double, float>;

// y = act(x B + bias), or y += x B + bias, with B[k, n] = b[k * b_stride_k + n * b_stride_n].
template <class T, class Out = T, class Weight = Sum<T>>
struct MatmulArgs {
  int64_t rows = 0, inner = 0, outer = 0;
  const T* x = nullptr;  // [R, K], rows x_stride apart
  int64_t x_stride = 0;
  const Weight* b = nullptr;
  int64_t b_stride_k = 0, b_stride_n = 0;
  const Weight* bias = nullptr;  // [N] or null
  bool relu = false;
  bool accumulate = false;
  Out* y = nullptr;  // [R, N], rows y_stride apart
  int64_t y_stride = 0;
};

template <class T, class Out, class Weight>
void matmul(const MatmulArgs<T, Out, Weight>& args) {
  using S = Sum<T>;
  for (int64_t r = 0; r < args.rows; ++r) {
    for (int64_t n = 0; n < args.outer; ++n) {
      Out& y = args.y[r * args.y_stride + n];
      S sum = args.bias != nullptr ? S(args.bias[n]) : S(0);
      if (args.accumulate) sum += S(y);
      for (int64_t k = 0; k < args.inner; ++k) {
        sum += S(args.x[r * args.x_stride + k]) * S(args.b[k * args.b_stride_k + n * args.b_stride_n]);
      }
      y = Out(args.relu && sum < S(0) ? S(0) : sum);
    }
  }
}

// dw [N, K] = dy^T x and dbias [N] = sum over rows of dy; added to what is there when accumulate.
template <class T>
struct WeightGradientArgs {
  int64_t rows = 0, inner = 0, outer = 0;
  const T* dy = nullptr;  // [R, N]
  int64_t dy_stride = 0;
  const T* x = nullptr;  // [R, K]
  int64_t x_stride = 0;
  bool accumulate = false;
  Sum<T>* dw = nullptr;     // [N, K]
  Sum<T>* dbias = nullptr;  // [N] or null
};

template <class T>
void weight_gradient(const WeightGradientArgs<T>& args) {
  using S = Sum<T>;
  for (int64_t n = 0; n < args.outer; ++n) {
    for (int64_t k = 0; k < args.inner; ++k) {
      S& dw = args.dw[n * args.inner + k];
      S sum = args.accumulate ? dw : S(0);
      for (int64_t r = 0; r < args.rows; ++r) {
        sum += S(args.dy[r * args.dy_stride + n]) * S(args.x[r * args.x_stride + k]);
      }
      dw = sum;
    }
    if (args.dbias == nullptr) continue;
    S sum = args.accumulate ? args.dbias[n] : S(0);
    for (int64_t r = 0; r < args.rows; ++r) sum += S(args.dy[r * args.dy_stride + n]);
    args.dbias[n] = sum;
  }
}

}  // namespace heed::kernels::reference
