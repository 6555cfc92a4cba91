// The kernels of kernels/batch_norm.h as plain loops over the columns [begin, end). A row is read a stretch
// at a time, so that they serve as the fast ones as well.
#pragma once

#include <cmath>
#include <vector>

#include "heed/kernels/batch_norm.h"

namespace heed::kernels::reference {

template <class T>
double batch_norm_rstd(const BatchNormArgs<T>& args, int64_t column) {
  return 1.0 / std::sqrt(static_cast<double>(args.variance[column]) + static_cast<double>(args.epsilon));
}

template <class T>
void batch_norm(const BatchNormArgs<T>& args, int64_t begin, int64_t end) {
  using R = Real<T>;
  const auto columns = static_cast<size_t>(end - begin);
  if (args.of_batch && args.rows > 0) {
    std::vector<double> sum(columns), squares(columns);
    for (int64_t r = 0; r < args.rows; ++r) {
      const T* x = args.x + r * args.width + begin;
      for (size_t j = 0; j < columns; ++j) sum[j] += static_cast<double>(static_cast<R>(x[j]));
    }
    for (double& value : sum) value /= static_cast<double>(args.rows);
    for (int64_t r = 0; r < args.rows; ++r) {
      const T* x = args.x + r * args.width + begin;
      for (size_t j = 0; j < columns; ++j) {
        const double apart = static_cast<double>(static_cast<R>(x[j])) - sum[j];
        squares[j] += apart * apart;
      }
    }
    for (size_t j = 0; j < columns; ++j) {
      args.mean[begin + static_cast<int64_t>(j)] = static_cast<R>(sum[j]);
      args.variance[begin + static_cast<int64_t>(j)] =
          static_cast<R>(squares[j] / static_cast<double>(args.rows));
    }
  }
  std::vector<R> factor(columns);
  for (size_t j = 0; j < columns; ++j) {
    const int64_t column = begin + static_cast<int64_t>(j);
    factor[j] = static_cast<R>(batch_norm_rstd(args, column)) * args.gain[column];
  }
  for (int64_t r = 0; r < args.rows; ++r) {
    const T* x = args.x + r * args.width + begin;
    T* y = args.y + r * args.width + begin;
    for (size_t j = 0; j < columns; ++j)
      y[j] = static_cast<T>((static_cast<R>(x[j]) - args.mean[begin + static_cast<int64_t>(j)]) * factor[j] +
                            args.bias[begin + static_cast<int64_t>(j)]);
  }
}

// With n = (x - mean) rstd:  d_bias = sum dy, d_gain = sum dy n;  dx = gain rstd (dy - d_bias / R - n d_gain
// / R), and gain rstd dy where the statistics are not of these rows.
template <class T>
void batch_norm_gradient(const BatchNormGradientArgs<T>& args, int64_t begin, int64_t end) {
  using R = Real<T>;
  const BatchNormArgs<T>& forward = args.forward;
  const auto columns = static_cast<size_t>(end - begin);
  std::vector<double> d_gain(columns), d_bias(columns);
  std::vector<R> rstd(columns);
  for (size_t j = 0; j < columns; ++j)
    rstd[j] = static_cast<R>(batch_norm_rstd(forward, begin + static_cast<int64_t>(j)));
  const auto normal = [&](const T* x, size_t j) {
    return (static_cast<R>(x[j]) - forward.mean[begin + static_cast<int64_t>(j)]) * rstd[j];
  };
  for (int64_t r = 0; r < forward.rows; ++r) {
    const T* x = forward.x + r * forward.width + begin;
    const T* dy = args.dy + r * forward.width + begin;
    for (size_t j = 0; j < columns; ++j) {
      const auto d = static_cast<double>(static_cast<R>(dy[j]));
      d_bias[j] += d;
      d_gain[j] += d * static_cast<double>(normal(x, j));
    }
  }
  std::vector<R> mean_d(columns), mean_dn(columns);
  for (size_t j = 0; j < columns; ++j) {
    args.d_gain[begin + static_cast<int64_t>(j)] = static_cast<R>(d_gain[j]);
    args.d_bias[begin + static_cast<int64_t>(j)] = static_cast<R>(d_bias[j]);
    if (!forward.of_batch || forward.rows == 0) continue;
    mean_d[j] = static_cast<R>(d_bias[j] / static_cast<double>(forward.rows));
    mean_dn[j] = static_cast<R>(d_gain[j] / static_cast<double>(forward.rows));
  }
  for (int64_t r = 0; r < forward.rows; ++r) {
    const T* x = forward.x + r * forward.width + begin;
    const T* dy = args.dy + r * forward.width + begin;
    T* dx = args.dx + r * forward.width + begin;
    for (size_t j = 0; j < columns; ++j)
      dx[j] = static_cast<T>(forward.gain[begin + static_cast<int64_t>(j)] * rstd[j] *
                             (static_cast<R>(dy[j]) - mean_d[j] - normal(x, j) * mean_dn[j]));
  }
}

}  // namespace heed::kernels::reference
