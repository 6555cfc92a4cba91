// The kernels of kernels/additive_attention.h as plain loops, a sentence at a time.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "heed/kernels/additive_attention.h"

namespace heed::kernels::reference {

template <class T>
void additive_attention(const AdditiveAttentionArgs<T>& args, int64_t b) {
  using R = Real<T>;
  const int64_t first = args.key_begin[b], keys = args.key_end[b] - first;
  R* weights = args.weights + args.weight_begin[b];
  std::vector<R> context(args.value_width);
  for (int64_t i = args.query_offsets[b]; i < args.query_offsets[b + 1]; ++i, weights += keys) {
    const T* q = args.q + i * args.q_stride;
    R highest = -INFINITY, sum = 0;
    for (int64_t s = 0; s < keys; ++s) {
      const T* k = args.k + (first + s) * args.k_stride;
      R score = 0;
      for (int64_t a = 0; a < args.width; ++a)
        score += args.score[a] * std::tanh(static_cast<R>(q[a]) + static_cast<R>(k[a]));
      weights[s] = score;
      highest = std::max(highest, score);
    }
    for (int64_t s = 0; s < keys; ++s) sum += weights[s] = std::exp(weights[s] - highest);
    for (int64_t s = 0; s < keys; ++s) weights[s] /= sum;
    if (args.guide) {
      R guided = 0;
      for (int64_t s = 0; s < keys; ++s) guided += weights[s] * guide_penalty<R>(args.guide, i, s, keys);
      args.guided[i] = keys == 0 ? R{0} : guided / static_cast<R>(keys);
    }
    if (args.out == nullptr) continue;
    std::fill(context.begin(), context.end(), R{0});
    for (int64_t s = 0; s < keys; ++s) {
      const T* v = args.v + (first + s) * args.v_stride;
      for (int64_t m = 0; m < args.value_width; ++m) context[m] += weights[s] * static_cast<R>(v[m]);
    }
    for (int64_t m = 0; m < args.value_width; ++m)
      args.out[i * args.value_width + m] = static_cast<T>(context[m]);
  }
}

template <class T>
void additive_attention_gradient(const AdditiveAttentionGradientArgs<T>& args, int64_t b) {
  using R = Real<T>;
  const AdditiveAttentionArgs<T>& forward = args.forward;
  const int64_t first = forward.key_begin[b], keys = forward.key_end[b] - first;
  const int64_t width = forward.width, value_width = forward.value_width;
  const R* weights = forward.weights + forward.weight_begin[b];
  std::vector<R> dk(keys * width), dv(keys * value_width), dq(width), d_weight(keys);
  R* d_score = args.d_score + b * width;
  std::fill_n(d_score, width, R{0});
  for (int64_t i = forward.query_offsets[b]; i < forward.query_offsets[b + 1]; ++i, weights += keys) {
    const T* q = forward.q + i * forward.q_stride;
    const T* d_out = args.d_out + i * args.d_out_stride;
    R mean = 0;  // of d_weight under the weights
    for (int64_t s = 0; s < keys; ++s) {
      const T* v = forward.v + (first + s) * forward.v_stride;
      R sum = 0;
      for (int64_t m = 0; m < value_width; ++m) {
        sum += static_cast<R>(d_out[m]) * static_cast<R>(v[m]);
        dv[s * value_width + m] += weights[s] * static_cast<R>(d_out[m]);
      }
      if (args.d_guided != nullptr)
        sum += args.d_guided[i] / static_cast<R>(keys) * guide_penalty<R>(forward.guide, i, s, keys);
      d_weight[s] = sum;
      mean += weights[s] * sum;
    }
    std::fill(dq.begin(), dq.end(), R{0});
    for (int64_t s = 0; s < keys; ++s) {
      const T* k = forward.k + (first + s) * forward.k_stride;
      const R ds = weights[s] * (d_weight[s] - mean);
      for (int64_t a = 0; a < width; ++a) {
        const R squashed = std::tanh(static_cast<R>(q[a]) + static_cast<R>(k[a]));
        const R slope = ds * forward.score[a] * (1 - squashed * squashed);
        dq[a] += slope;
        dk[s * width + a] += slope;
        d_score[a] += ds * squashed;
      }
    }
    for (int64_t a = 0; a < width; ++a) args.dq[i * width + a] = static_cast<T>(dq[a]);
  }
  for (int64_t j = 0; j < keys * width; ++j) args.dk[first * width + j] = static_cast<T>(dk[j]);
  for (int64_t j = 0; j < keys * value_width; ++j) args.dv[first * value_width + j] = static_cast<T>(dv[j]);
}

}  // namespace heed::kernels::reference
