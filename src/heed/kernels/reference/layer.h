// The kernels of kernels/layer.h as plain loops: what the fast ones are held against. T is float, Bf16, or
// double for finite differences.
#pragma once

#include <cmath>
#include <numbers>
#include <vector>

#include "heed/kernels/layer.h"
#include "heed/kernels/reference/dropout.h"

namespace heed::kernels::reference {

template <class T>
void residual_norm(const ResidualNormArgs<T>& args) {
  using R = Real<T>;
  const int64_t width = args.width;
  std::vector<R> sum(width);
  for (int64_t r = 0; r < args.rows; ++r) {
    for (int64_t c = 0; c < width; ++c) sum[c] = static_cast<R>(args.x[r * width + c]);
    if (args.y != nullptr) {
      const DropoutFactors factor(args.dropout, args.row_keys, r);
      for (int64_t c = 0; c < width; ++c) sum[c] += static_cast<R>(args.y[r * width + c]) * factor(c);
      if (args.sum != nullptr)
        for (int64_t c = 0; c < width; ++c) args.sum[r * width + c] = static_cast<T>(sum[c]);
    }
    if (args.gain == nullptr) continue;

    R mean = 0;
    for (const R value : sum) mean += value;
    mean /= static_cast<R>(width);
    R variance = 0;
    for (const R value : sum) variance += (value - mean) * (value - mean);
    variance /= static_cast<R>(width);
    const R rstd = 1 / std::sqrt(variance + static_cast<R>(args.epsilon));
    for (int64_t c = 0; c < width; ++c)
      args.normed[r * width + c] = static_cast<T>((sum[c] - mean) * rstd * args.gain[c] + args.bias[c]);
    if (args.mean != nullptr) args.mean[r] = mean;
    if (args.rstd != nullptr) args.rstd[r] = rstd;
  }
}

// With n = (s - mean) rstd and g = d_normed * gain:  ds = rstd (g - mean(g) - n mean(g n)) + d_sum.
template <class T>
void residual_norm_gradient(const ResidualNormGradientArgs<T>& args) {
  using R = Real<T>;
  const int64_t width = args.width;
  const bool norm = args.gain != nullptr;
  std::vector<R> ds(width), n(width), d_gain(width), d_bias(width);
  if (args.d_gain != nullptr) std::fill_n(args.d_gain, width, R{0});
  if (args.d_bias != nullptr) std::fill_n(args.d_bias, width, R{0});
  for (int64_t r = 0; r < args.rows; ++r) {
    const auto at = [&](int64_t c) { return r * width + c; };
    std::fill(ds.begin(), ds.end(), R{0});
    if (norm) {
      R mean_g = 0, mean_gn = 0;
      for (int64_t c = 0; c < width; ++c) {
        const R dy = static_cast<R>(args.d_normed[at(c)]);
        n[c] = (static_cast<R>(args.sum[at(c)]) - args.mean[r]) * args.rstd[r];
        ds[c] = dy * args.gain[c];
        mean_g += ds[c];
        mean_gn += ds[c] * n[c];
        d_gain[c] += dy * n[c];
        d_bias[c] += dy;
      }
      mean_g /= static_cast<R>(width);
      mean_gn /= static_cast<R>(width);
      for (int64_t c = 0; c < width; ++c) ds[c] = args.rstd[r] * (ds[c] - mean_g - n[c] * mean_gn);
    }
    const DropoutFactors factor(args.dropout, args.row_keys, r);
    for (int64_t c = 0; c < width; ++c) {
      if (args.d_sum != nullptr) ds[c] += static_cast<R>(args.d_sum[at(c)]);
      args.d_x[at(c)] = static_cast<T>(ds[c]);
      if (args.d_y != nullptr) args.d_y[at(c)] = static_cast<T>(ds[c] * factor(c));
    }
    if (norm && ((r + 1) % kParameterChunkRows == 0 || r + 1 == args.rows)) {
      for (int64_t c = 0; c < width; ++c) {
        if (args.d_gain != nullptr) args.d_gain[c] += d_gain[c];
        if (args.d_bias != nullptr) args.d_bias[c] += d_bias[c];
        d_gain[c] = d_bias[c] = 0;
      }
    }
  }
}

template <class T>
void embedding(const EmbeddingArgs<T>& args) {
  using R = Real<T>;
  for (int64_t r = 0; r < args.rows; ++r) {
    const DropoutFactors factor(args.dropout, args.row_keys, r);
    for (int64_t c = 0; c < args.width; ++c) {
      R value = args.scale * args.table[args.ids[r] * args.width + c];
      if (args.positions != nullptr) value += args.positions[args.position[r] * args.width + c];
      args.y[r * args.width + c] = static_cast<T>(value * factor(c));
    }
  }
}

template <class T>
void embedding_gradient(const EmbeddingGradientArgs<T>& args) {
  using R = Real<T>;
  for (int64_t r = 0; r < args.rows; ++r) {
    const DropoutFactors factor(args.dropout, args.row_keys, r);
    for (int64_t c = 0; c < args.width; ++c) {
      const R d = static_cast<R>(args.dy[r * args.width + c]) * factor(c);
      args.d_table[args.ids[r] * args.width + c] += args.scale * d;
      if (args.d_positions != nullptr) args.d_positions[args.position[r] * args.width + c] += d;
    }
  }
}

template <class T>
void rotary(const RotaryArgs<T>& args) {
  using R = Real<T>;
  for (int64_t r = 0; r < args.rows; ++r) {
    const T* x = args.x + r * args.width;
    T* y = args.y + r * args.width;
    const R* sines = args.angles + args.position[r] * args.head_width;
    const int64_t half = args.head_width / 2;
    for (int64_t head = 0; head < args.rotated; head += args.head_width) {
      for (int64_t i = 0; i < half; ++i) {
        const R sine = args.back ? -sines[i] : sines[i], cosine = sines[half + i];
        const R first = static_cast<R>(x[head + i]), second = static_cast<R>(x[head + half + i]);
        y[head + i] = static_cast<T>(first * cosine - second * sine);
        y[head + half + i] = static_cast<T>(second * cosine + first * sine);
      }
    }
    std::copy(x + args.rotated, x + args.width, y + args.rotated);
  }
}

template <class R>
R activation(Activation kind, R x) {
  switch (kind) {
    case Activation::none:
      return x;
    case Activation::relu:
      return x < 0 ? R{0} : x;  // NaN stays
    case Activation::squared_relu:
      return x < 0 ? R{0} : x * x;
    case Activation::gelu:
      return x / 2 * (1 + std::erf(x / std::numbers::sqrt2_v<R>));
    case Activation::tanh:
      return std::tanh(x);
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-x));
  }
  return x;
}

// x as ActivationGradientArgs has it: the output for relu, tanh and sigmoid.
template <class R>
R activation_slope(Activation kind, R x) {
  switch (kind) {
    case Activation::none:
      return 1;
    case Activation::relu:
      return x > 0 ? R{1} : R{0};
    case Activation::squared_relu:
      return x > 0 ? 2 * x : R{0};
    case Activation::gelu:
      return (1 + std::erf(x / std::numbers::sqrt2_v<R>)) / 2 +
             x * std::exp(-x * x / 2) * (std::numbers::inv_sqrtpi_v<R> / std::numbers::sqrt2_v<R>);
    case Activation::tanh:
      return 1 - x * x;
    case Activation::sigmoid:
      return x * (1 - x);
  }
  return 1;
}

template <class T>
void activate(const ActivationArgs<T>& args) {
  using R = Real<T>;
  for (int64_t r = 0; r < args.rows; ++r) {
    const DropoutFactors factor(args.dropout, args.row_keys, r);
    for (int64_t c = 0; c < args.width; ++c) {
      const int64_t i = r * args.width + c;
      args.y[i] = static_cast<T>(activation(args.activation, static_cast<R>(args.x[i])) * factor(c));
    }
  }
}

template <class T>
void activate_gradient(const ActivationGradientArgs<T>& args) {
  using R = Real<T>;
  for (int64_t r = 0; r < args.rows; ++r) {
    const DropoutFactors factor(args.dropout, args.row_keys, r);
    for (int64_t c = 0; c < args.width; ++c) {
      const int64_t i = r * args.width + c;
      const R slope = args.activation == Activation::none
                          ? R{1}
                          : activation_slope(args.activation, static_cast<R>(args.x[i]));
      args.dx[i] = static_cast<T>(slope * (static_cast<R>(args.dy[i]) * factor(c)));
    }
  }
}

template <class X, class Y>
void add_to(int64_t size, const X* x, Y* y) {
  using R = Real<Y>;
  for (int64_t i = 0; i < size; ++i) y[i] = static_cast<Y>(static_cast<R>(y[i]) + static_cast<R>(x[i]));
}

}  // namespace heed::kernels::reference
