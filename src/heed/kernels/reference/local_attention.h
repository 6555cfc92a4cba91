// The kernels of kernels/local_attention.h as plain loops, a sentence at a time.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "heed/kernels/local_attention.h"

namespace heed::kernels::reference {

// What a query sees: keys begin .. end of its sentence, each with its share of the softmax and, around p, of
// the bell.
template <class R>
struct Window {
  R sigmoid = 0, p = 0;
  int64_t begin = 0, end = 0;
  std::vector<R> softmax, bell;
};

template <class T>
Real<T> local_score(const LocalAttentionArgs<T>& args, int64_t i, int64_t key) {
  using R = Real<T>;
  const T* q = args.q + i * args.q_stride;
  const T* k = args.k + key * args.k_stride;
  R score = 0;
  for (int64_t a = 0; a < args.width; ++a) {
    const R left = static_cast<R>(q[a]), right = static_cast<R>(k[a]);
    score += args.score != nullptr ? args.score[a] * std::tanh(left + right) : left * right;
  }
  return args.score != nullptr ? score : args.scale * score;
}

// score(key): of query i and a key of all.
template <class T, class Score>
Window<Real<T>> window_of(const LocalAttentionArgs<T>& args, int64_t b, int64_t i, const Score& score) {
  using R = Real<T>;
  const int64_t first = args.key_begin[b], keys = args.key_end[b] - first;
  Window<R> window;
  if (keys == 0) return window;
  if (args.places != nullptr) {
    window.sigmoid = 1 / (1 + std::exp(-static_cast<R>(args.places[i])));
    window.p = static_cast<R>(keys) * window.sigmoid;
  } else {
    window.p = static_cast<R>(std::min<int64_t>(args.positions[i], keys - 1));
  }
  // p is at most S, so that with a reach of 1 or more the last key is within.
  const R reach = static_cast<R>(args.reach);
  window.end = keys;  // around no number it is all keys, with weights that are none
  if (!std::isnan(window.p)) {
    window.begin = std::max<int64_t>(0, static_cast<int64_t>(std::ceil(window.p - reach)));
    window.end = std::min<int64_t>(keys, static_cast<int64_t>(std::floor(window.p + reach)) + 1);
  }
  R highest = -INFINITY, sum = 0;
  for (int64_t s = window.begin; s < window.end; ++s) {
    window.softmax.push_back(score(first + s));
    highest = std::max(highest, window.softmax.back());
    const R away = (static_cast<R>(s) - window.p) / (reach / 2);
    window.bell.push_back(args.places != nullptr ? std::exp(-away * away / 2) : R{1});
  }
  for (R& share : window.softmax) sum += share = std::exp(share - highest);
  for (R& share : window.softmax) share /= sum;
  return window;
}

template <class T>
Window<Real<T>> window_of(const LocalAttentionArgs<T>& args, int64_t b, int64_t i) {
  return window_of(args, b, i, [&](int64_t key) { return local_score(args, i, key); });
}

template <class T>
void local_attention(const LocalAttentionArgs<T>& args, int64_t b) {
  using R = Real<T>;
  const int64_t first = args.key_begin[b], keys = args.key_end[b] - first;
  R* weights = args.weights != nullptr ? args.weights + args.weight_begin[b] : nullptr;
  std::vector<R> context(args.value_width);
  for (int64_t i = args.query_offsets[b]; i < args.query_offsets[b + 1]; ++i) {
    const Window<R> window = window_of(args, b, i);
    std::fill(context.begin(), context.end(), R{0});
    if (weights != nullptr) std::fill_n(weights, keys, R{0});
    for (int64_t s = window.begin; s < window.end; ++s) {
      const R weight = window.softmax[s - window.begin] * window.bell[s - window.begin];
      if (weights != nullptr) weights[s] = weight;
      if (args.out == nullptr) continue;
      const T* v = args.v + (first + s) * args.v_stride;
      for (int64_t m = 0; m < args.value_width; ++m) context[m] += weight * static_cast<R>(v[m]);
    }
    if (weights != nullptr) weights += keys;
    for (int64_t m = 0; m < args.value_width && args.out != nullptr; ++m)
      args.out[i * args.value_width + m] = static_cast<T>(context[m]);
  }
}

template <class T>
void local_attention_gradient(const LocalAttentionGradientArgs<T>& args, int64_t b) {
  using R = Real<T>;
  const LocalAttentionArgs<T>& forward = args.forward;
  const int64_t first = forward.key_begin[b], keys = forward.key_end[b] - first;
  const int64_t width = forward.width, value_width = forward.value_width;
  const R spread = static_cast<R>(forward.reach) / 2;
  std::vector<R> dk(keys * width), dv(keys * value_width), dq(width), d_score(width), d_share;
  for (int64_t i = forward.query_offsets[b]; i < forward.query_offsets[b + 1]; ++i) {
    const Window<R> window = window_of(forward, b, i);
    const T* d_out = args.d_out + i * args.d_out_stride;
    d_share.assign(window.softmax.size(), R{0});
    R mean = 0, dp = 0;  // mean of d_share under the softmax
    for (int64_t s = window.begin; s < window.end; ++s) {
      const R share = window.softmax[s - window.begin], bell = window.bell[s - window.begin];
      const T* v = forward.v + (first + s) * forward.v_stride;
      R d_weight = 0;
      for (int64_t m = 0; m < value_width; ++m) {
        d_weight += static_cast<R>(d_out[m]) * static_cast<R>(v[m]);
        dv[s * value_width + m] += share * bell * static_cast<R>(d_out[m]);
      }
      d_share[s - window.begin] = d_weight * bell;
      mean += share * d_weight * bell;
      dp += d_weight * share * bell * (static_cast<R>(s) - window.p) / (spread * spread);
    }
    if (args.d_places != nullptr)
      args.d_places[i] = static_cast<T>(dp * static_cast<R>(keys) * window.sigmoid * (1 - window.sigmoid));
    std::fill(dq.begin(), dq.end(), R{0});
    const T* q = forward.q + i * forward.q_stride;
    for (int64_t s = window.begin; s < window.end; ++s) {
      const R ds = window.softmax[s - window.begin] * (d_share[s - window.begin] - mean);
      const T* k = forward.k + (first + s) * forward.k_stride;
      for (int64_t a = 0; a < width; ++a) {
        const R left = static_cast<R>(q[a]), right = static_cast<R>(k[a]);
        if (forward.score == nullptr) {
          dq[a] += ds * forward.scale * right;
          dk[s * width + a] += ds * forward.scale * left;
          continue;
        }
        const R squashed = std::tanh(left + right);
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
  if (args.d_score != nullptr) std::copy(d_score.begin(), d_score.end(), args.d_score + b * width);
}

}  // namespace heed::kernels::reference
