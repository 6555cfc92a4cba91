// The kernels of kernels/recurrent.h as plain loops, a sentence at a time: what the fast ones are held
// against. T is float, Bf16, or double for finite differences; the recurrent weight comes as W_hh [GH, H].
#pragma once

#include <cmath>
#include <vector>

#include "heed/kernels/recurrent.h"

namespace heed::kernels::reference {

template <class R>
R logistic(R x) {
  return 1 / (1 + std::exp(-x));
}

// The row of a sentence's step.
template <class T>
int64_t row_of_step(const RecurrentArgs<T>& args, int64_t sentence, int64_t step) {
  return args.reverse ? args.offsets[sentence + 1] - 1 - step : args.offsets[sentence] + step;
}

template <class T>
void recurrent(const RecurrentArgs<T>& args, const Real<T>* weight) {
  using R = Real<T>;
  const int64_t width = args.width, all = gates_of(args.cell) * width;
  for (int64_t b = 0; b < args.sentences; ++b) {
    std::vector<R> h(width), c(width), product(all);
    if (args.initial != nullptr) h.assign(args.initial + b * width, args.initial + (b + 1) * width);
    if (args.initial_cell != nullptr)
      c.assign(args.initial_cell + b * width, args.initial_cell + (b + 1) * width);
    const int64_t length = args.offsets[b + 1] - args.offsets[b];
    for (int64_t step = 0; step < length; ++step) {
      const int64_t r = row_of_step(args, b, step);
      for (int64_t g = 0; g < all; ++g) {
        product[g] = args.bias == nullptr ? R{0} : args.bias[g];
        for (int64_t k = 0; k < width; ++k)
          product[g] +=
              static_cast<R>(static_cast<T>(h[k])) * static_cast<R>(static_cast<T>(weight[g * width + k]));
      }
      for (int64_t j = 0; j < width; ++j) {
        const auto x = [&](int64_t gate) {
          const int64_t row = args.gates_row == nullptr ? r : args.gates_row[r];
          return static_cast<R>(args.gates_x[row * args.gates_stride + gate * width + j]);
        };
        if (args.h_previous != nullptr) args.h_previous[r * width + j] = static_cast<T>(h[j]);
        R values[4];
        if (args.cell == Cell::gru) {
          values[0] = logistic(x(0) + product[j]);
          values[1] = logistic(x(1) + product[width + j]);
          values[3] = product[2 * width + j];
          values[2] = std::tanh(x(2) + values[0] * values[3]);
          h[j] = (1 - values[1]) * values[2] + values[1] * h[j];
        } else {
          for (int gate = 0; gate < 4; ++gate) {
            const R sum = x(gate) + product[gate * width + j];
            values[gate] = gate == 2 ? std::tanh(sum) : logistic(sum);
          }
          if (args.cells != nullptr) args.cells[r * 2 * width + j] = static_cast<T>(c[j]);
          c[j] = values[1] * c[j] + values[0] * values[2];
          if (args.cells != nullptr) args.cells[r * 2 * width + width + j] = static_cast<T>(c[j]);
          h[j] = values[3] * std::tanh(c[j]);
        }
        if (args.h != nullptr) args.h[r * args.h_stride + j] = static_cast<T>(h[j]);
        if (args.saved != nullptr)
          for (int i = 0; i < 4; ++i) args.saved[(r * 4 + i) * width + j] = static_cast<T>(values[i]);
      }
    }
    for (int64_t j = 0; j < width; ++j) {
      if (args.last != nullptr) args.last[b * width + j] = h[j];
      if (args.last_cell != nullptr) args.last_cell[b * width + j] = c[j];
    }
  }
}

template <class T>
void recurrent_gradient(const RecurrentGradientArgs<T>& args, const Real<T>* weight) {
  using R = Real<T>;
  const RecurrentArgs<T>& forward = args.forward;
  const int64_t width = forward.width, all = gates_of(forward.cell) * width;
  for (int64_t b = 0; b < forward.sentences; ++b) {
    std::vector<R> dh(width), dc(width), d_product(all);
    if (args.d_last != nullptr) dh.assign(args.d_last + b * width, args.d_last + (b + 1) * width);
    if (args.d_last_cell != nullptr)
      dc.assign(args.d_last_cell + b * width, args.d_last_cell + (b + 1) * width);
    const int64_t length = forward.offsets[b + 1] - forward.offsets[b];
    for (int64_t step = length - 1; step >= 0; --step) {
      const int64_t r = row_of_step(forward, b, step);
      for (int64_t j = 0; j < width; ++j) {
        R s[4];
        for (int i = 0; i < 4; ++i) s[i] = static_cast<R>(forward.saved[(r * 4 + i) * width + j]);
        if (args.d_h != nullptr) dh[j] += static_cast<R>(args.d_h[r * args.d_h_stride + j]);
        const auto put = [&](int64_t gate, R dx, R dp) {
          args.d_gates_x[r * all + gate * width + j] = static_cast<T>(dx);
          d_product[gate * width + j] = static_cast<R>(static_cast<T>(dp));
        };
        if (forward.cell == Cell::gru) {
          const R h = static_cast<R>(forward.h_previous[r * width + j]);
          const R dn = dh[j] * (1 - s[1]) * (1 - s[2] * s[2]);
          const R dr = dn * s[3] * s[0] * (1 - s[0]);
          const R dz = dh[j] * (h - s[2]) * s[1] * (1 - s[1]);
          put(0, dr, dr);
          put(1, dz, dz);
          put(2, dn, dn * s[0]);
          args.d_candidate[r * width + j] = static_cast<T>(dn * s[0]);
          dh[j] *= s[1];
        } else {
          const R before = static_cast<R>(forward.cells[r * 2 * width + j]);
          const R squashed = std::tanh(static_cast<R>(forward.cells[r * 2 * width + width + j]));
          const R d_cell = dc[j] + dh[j] * s[3] * (1 - squashed * squashed);
          const R di = d_cell * s[2] * s[0] * (1 - s[0]);
          const R df = d_cell * before * s[1] * (1 - s[1]);
          const R dg = d_cell * s[0] * (1 - s[2] * s[2]);
          const R d_o = dh[j] * squashed * s[3] * (1 - s[3]);
          put(0, di, di);
          put(1, df, df);
          put(2, dg, dg);
          put(3, d_o, d_o);
          dc[j] = d_cell * s[1];
          dh[j] = 0;
        }
      }
      for (int64_t k = 0; k < width; ++k)
        for (int64_t g = 0; g < all; ++g)
          dh[k] += d_product[g] * static_cast<R>(static_cast<T>(weight[g * width + k]));
    }
    for (int64_t j = 0; j < width; ++j) {
      if (args.d_initial != nullptr) args.d_initial[b * width + j] = dh[j];
      if (args.d_initial_cell != nullptr) args.d_initial_cell[b * width + j] = dc[j];
    }
  }
}

}  // namespace heed::kernels::reference
