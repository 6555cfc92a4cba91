// The kernels of kernels/attention.h as plain loops: what the fast ones are held against. T is float, Bf16,
// or double for finite differences.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "heed/base/error.h"
#include "heed/base/random.h"
#include "heed/kernels/attention.h"
#include "heed/kernels/reference/dropout.h"

namespace heed::kernels::reference {

// Turns scores into softmax weights in place; returns the log of the sum of their exponentials (minus
// infinity when there are none).
template <class R>
R softmax(std::vector<R>& scores) {
  if (scores.empty()) return -std::numeric_limits<R>::infinity();
  const R highest = *std::max_element(scores.begin(), scores.end());
  R sum = 0;
  for (R& score : scores) sum += score = std::exp(score - highest);
  for (R& score : scores) score /= sum;
  return highest + std::log(sum);
}

template <class R, class T>
R dot(const T* a, const T* b, int64_t size) {
  R sum = 0;
  for (int64_t i = 0; i < size; ++i) sum += static_cast<R>(a[i]) * static_cast<R>(b[i]);
  return sum;
}

// Calls f(sentence, head, query row, weights, log of their sum, dropout factors) for every query of every
// head. weights are those before dropout.
template <class T, class F>
void for_each_query(const AttentionArgs<T>& args, F&& f) {
  using R = Real<T>;
  std::vector<R> weights;
  for (int64_t b = 0; b < args.sentences; ++b) {
    const int64_t key_begin = args.key_offsets[b];
    for (int64_t h = 0; h < args.heads; ++h) {
      const Dropout dropout{args.dropout.probability, mix64(args.dropout.key, static_cast<uint64_t>(h))};
      for (int64_t r = args.query_offsets[b]; r < args.query_offsets[b + 1]; ++r) {
        const int64_t keys =
            args.causal ? r - args.query_offsets[b] + 1 : args.key_offsets[b + 1] - key_begin;
        weights.resize(keys);
        for (int64_t j = 0; j < keys; ++j)
          weights[j] = args.scale * dot<R>(args.q + r * args.q_stride + h * args.head_width,
                                           args.k + (key_begin + j) * args.k_stride + h * args.head_width,
                                           args.head_width);
        const R log_sum = softmax(weights);
        f(b, h, r, weights, log_sum, DropoutFactors(dropout, args.query_row_keys, r));
      }
    }
  }
}

template <class T>
void attention(const AttentionArgs<T>& args) {
  using R = Real<T>;
  std::vector<R> sum(args.head_width);
  for_each_query(args, [&](int64_t b, int64_t h, int64_t r, const std::vector<R>& weights, R log_sum,
                           const DropoutFactors& factor) {
    const int64_t key_begin = args.key_offsets[b], keys = args.key_offsets[b + 1] - key_begin;
    std::fill(sum.begin(), sum.end(), R{0});
    for (size_t j = 0; j < weights.size(); ++j) {
      const T* v = args.v + (key_begin + static_cast<int64_t>(j)) * args.v_stride + h * args.head_width;
      const R weight = weights[j] * factor(static_cast<int64_t>(j));
      for (int64_t c = 0; c < args.head_width; ++c) sum[c] += weight * static_cast<R>(v[c]);
    }
    for (int64_t c = 0; c < args.head_width; ++c)
      args.out[r * args.out_stride + h * args.head_width + c] = static_cast<T>(sum[c]);
    if (args.log_sum != nullptr) args.log_sum[r * args.heads + h] = log_sum;
    if (args.guided == nullptr) return;
    R guided = 0;
    for (size_t j = 0; j < weights.size() && args.guide.guides(h); ++j)
      guided += weights[j] * guide_penalty<R>(args.guide, r, static_cast<int64_t>(j), keys);
    args.guided[r * args.heads + h] = keys == 0 ? R{0} : guided / static_cast<R>(keys);
  });
}

// With p the weights, w = dropout(p), dw = d_out . v, dp = dropout'(dw) + d_guided W / N:  ds = p (dp - sum p
// dp); dq = scale ds K, dk = scale ds^T Q, dv = w^T d_out.
template <class T>
void attention_gradient(const AttentionGradientArgs<T>& args) {
  using R = Real<T>;
  const AttentionArgs<T>& forward = args.forward;
  const int64_t d = forward.head_width, width = forward.heads * d;
  const int64_t queries = forward.query_offsets[forward.sentences];
  const int64_t keys = forward.key_offsets[forward.sentences];
  std::vector<R> dq(queries * width), dk(keys * width), dv(keys * width);
  std::vector<R> dp;
  for_each_query(forward, [&](int64_t b, int64_t h, int64_t r, const std::vector<R>& p, R,
                              const DropoutFactors& factor) {
    const int64_t key_begin = forward.key_offsets[b], length = forward.key_offsets[b + 1] - key_begin;
    const bool guided = args.d_guided != nullptr && forward.guide.guides(h);
    const T* d_out = args.d_out + r * args.d_out_stride + h * d;
    dp.resize(p.size());
    R delta = 0;
    for (size_t j = 0; j < p.size(); ++j) {
      const int64_t row = key_begin + static_cast<int64_t>(j);
      const R kept = factor(static_cast<int64_t>(j));
      dp[j] = dot<R>(d_out, forward.v + row * forward.v_stride + h * d, d) * kept;
      if (guided)
        dp[j] += args.d_guided[r * forward.heads + h] / static_cast<R>(length) *
                 guide_penalty<R>(forward.guide, r, static_cast<int64_t>(j), length);
      delta += p[j] * dp[j];
      for (int64_t c = 0; c < d; ++c) dv[row * width + h * d + c] += p[j] * kept * static_cast<R>(d_out[c]);
    }
    for (size_t j = 0; j < p.size(); ++j) {
      const int64_t row = key_begin + static_cast<int64_t>(j);
      const R ds = p[j] * (dp[j] - delta) * forward.scale;
      for (int64_t c = 0; c < d; ++c) {
        dq[r * width + h * d + c] += ds * static_cast<R>(forward.k[row * forward.k_stride + h * d + c]);
        dk[row * width + h * d + c] += ds * static_cast<R>(forward.q[r * forward.q_stride + h * d + c]);
      }
    }
  });
  const auto write = [&](const std::vector<R>& from, int64_t rows, T* to, int64_t stride) {
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < width; ++c) to[r * stride + c] = static_cast<T>(from[r * width + c]);
  };
  write(dq, queries, args.dq, args.dq_stride);
  write(dk, keys, args.dk, args.dk_stride);
  write(dv, keys, args.dv, args.dv_stride);
}

template <class T>
void attention_weights(const AttentionWeightsArgs<T>& args, int64_t sentence) {
  using R = Real<T>;
  const int64_t first_query = args.query_offsets[sentence],
                queries = args.query_offsets[sentence + 1] - first_query;
  const int64_t first_key = args.key_offsets[sentence], keys = args.key_offsets[sentence + 1] - first_key;
  std::vector<R> weights;
  for (int64_t h = 0; h < args.heads; ++h) {
    for (int64_t t = 0; t < queries; ++t) {
      weights.resize(args.causal ? std::min(t + 1, keys) : keys);
      for (size_t n = 0; n < weights.size(); ++n) {
        const int64_t key = first_key + static_cast<int64_t>(n);
        weights[n] = args.scale * dot<R>(args.q + (first_query + t) * args.q_stride + h * args.head_width,
                                         args.k + key * args.k_stride + h * args.head_width, args.head_width);
      }
      softmax(weights);
      std::copy(weights.begin(), weights.end(), args.weights[sentence] + (h * queries + t) * keys);
    }
  }
}

template <class T>
void attention_step(const AttentionStepArgs<T>& args) {
  using R = Real<T>;
  require(args.rows != nullptr || args.first != nullptr, "attention by steps: neither rows nor first ones");
  const int64_t d = args.head_width;
  std::vector<R> weights, sum(d);
  for (int64_t r = 0; r < args.queries; ++r) {
    const int64_t begin = args.row_offsets[r];
    const auto key_row = [&](size_t j) -> int64_t {
      return args.rows != nullptr ? args.rows[begin + static_cast<int64_t>(j)]
                                  : args.first[r] + static_cast<int64_t>(j);
    };
    for (int64_t h = 0; h < args.heads; ++h) {
      weights.resize(args.row_offsets[r + 1] - begin);
      for (size_t j = 0; j < weights.size(); ++j)
        weights[j] = args.scale * dot<R>(args.q + r * args.q_stride + h * d,
                                         args.k + key_row(j) * args.k_stride + h * d, d);
      softmax(weights);
      std::fill(sum.begin(), sum.end(), R{0});
      for (size_t j = 0; j < weights.size(); ++j)
        for (int64_t c = 0; c < d; ++c)
          sum[c] += weights[j] * static_cast<R>(args.v[key_row(j) * args.v_stride + h * d + c]);
      for (int64_t c = 0; c < d; ++c) args.out[r * args.out_stride + h * d + c] = static_cast<T>(sum[c]);
    }
  }
}

}  // namespace heed::kernels::reference
