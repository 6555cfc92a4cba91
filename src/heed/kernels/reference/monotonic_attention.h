// The kernels of kernels/monotonic_attention.h as plain loops, a sentence at a time.
#pragma once

#include <algorithm>
#include <cmath>
#include <vector>

#include "heed/base/random.h"
#include "heed/kernels/monotonic_attention.h"

namespace heed::kernels::reference {

template <class T>
Real<T> monotonic_energy(const MonotonicAttentionArgs<T>& args, int64_t query, int64_t key) {
  using R = Real<T>;
  const T* q = args.q + query * args.q_stride;
  const T* k = args.k + key * args.k_stride;
  R sum = 0;
  if (args.score != nullptr) {
    for (int64_t a = 0; a < args.width; ++a)
      sum += args.score[a] * std::tanh(static_cast<R>(q[a]) + static_cast<R>(k[a]));
    return sum + *args.offset;
  }
  for (int64_t a = 0; a < args.width; ++a) sum += static_cast<R>(q[a]) * static_cast<R>(k[a]);
  return args.scale * sum + *args.offset;
}

// out = sum over keys of weights * values
template <class T>
void monotonic_context(const MonotonicAttentionArgs<T>& args, int64_t query, int64_t first, int64_t keys,
                       const Real<T>* weights) {
  using R = Real<T>;
  std::vector<R> context(static_cast<size_t>(args.value_width));
  for (int64_t j = 0; j < keys; ++j) {
    const T* v = args.v + (first + j) * args.v_stride;
    for (size_t m = 0; m < context.size(); ++m) context[m] += weights[j] * static_cast<R>(v[m]);
  }
  for (size_t m = 0; m < context.size(); ++m)
    args.out[query * args.value_width + static_cast<int64_t>(m)] = static_cast<T>(context[m]);
}

// alpha_0 of a sentence's keys.
template <class T>
std::vector<Real<T>> alignment_before(const MonotonicAttentionArgs<T>& args, int64_t first, int64_t keys) {
  if (args.before != nullptr) return {args.before + first, args.before + first + keys};
  std::vector<Real<T>> all_on_the_first(static_cast<size_t>(keys));
  if (keys > 0) all_on_the_first.front() = 1;
  return all_on_the_first;
}

template <class T>
void expected_monotonic_attention(const MonotonicAttentionArgs<T>& args, int64_t b) {
  using R = Real<T>;
  const int64_t first = args.key_begin[b], keys = args.key_end[b] - first;
  R* p = args.chosen + args.weight_begin[b];
  R* weights = args.weights + args.weight_begin[b];
  const std::vector<R> start = alignment_before(args, first, keys);
  const R* before = start.data();  // alpha_{i-1}
  for (int64_t i = args.query_offsets[b]; i < args.query_offsets[b + 1]; ++i, p += keys, weights += keys) {
    R reached = 0;  // q_ij
    for (int64_t j = 0; j < keys; ++j) {
      R energy = monotonic_energy(args, i, first + j);
      if (args.noise > 0.0f)
        energy +=
            static_cast<R>(args.noise) *
            static_cast<R>(normal(mix64(args.noise_key, args.query_row_keys[i]), static_cast<uint64_t>(j)));
      p[j] = R{1} / (R{1} + std::exp(-energy));
      if (j > 0) reached *= R{1} - p[j - 1];
      reached += before[j];
      weights[j] = p[j] * reached;
    }
    monotonic_context(args, i, first, keys, weights);
    before = weights;
  }
  if (args.after != nullptr) std::copy_n(before, keys, args.after + first);
}

template <class T>
void hard_monotonic_attention(const MonotonicAttentionArgs<T>& args, int64_t b) {
  using R = Real<T>;
  const int64_t first = args.key_begin[b], keys = args.key_end[b] - first;
  int64_t at = std::min<int64_t>(args.attended[b], keys);
  for (int64_t i = args.query_offsets[b]; i < args.query_offsets[b + 1]; ++i) {
    while (at < keys && monotonic_energy(args, i, first + at) < R{0}) ++at;
    const R all = 1;
    monotonic_context(args, i, first + at, at < keys ? 1 : 0, &all);
    if (args.found != nullptr) args.found[i] = at < keys ? static_cast<int32_t>(at) : -1;
  }
  args.attended[b] = static_cast<int32_t>(at);
}

// Backwards through the recurrence: d alpha_ij = d_out_i . v_j + d q_{i+1},j, of the last row d_after_j;
// d q_ij = d alpha_ij p_ij + (1 - p_ij) d q_i,j+1;  d p_ij = d alpha_ij q_ij - d q_i,j+1 q_ij;  d e = d p p
// (1 - p).
template <class T>
void monotonic_attention_gradient(const MonotonicAttentionGradientArgs<T>& args, int64_t b) {
  using R = Real<T>;
  const MonotonicAttentionArgs<T>& forward = args.forward;
  const int64_t first = forward.key_begin[b], keys = forward.key_end[b] - first;
  const int64_t begin = forward.query_offsets[b], end = forward.query_offsets[b + 1];
  const int64_t width = forward.width, value_width = forward.value_width;
  const std::vector<R> start = alignment_before(forward, first, keys);
  std::vector<R> dk(keys * width), dv(keys * value_width), dq(width), d_score(width), reached(keys);
  std::vector<R> d_reached(keys);  // of the row behind: that of alpha in this row
  if (args.d_after != nullptr) std::copy_n(args.d_after + first, keys, d_reached.begin());
  R d_offset = 0;
  for (int64_t i = end - 1; i >= begin; --i) {
    const R* p = forward.chosen + forward.weight_begin[b] + (i - begin) * keys;
    const R* weights = forward.weights + forward.weight_begin[b] + (i - begin) * keys;
    const R* before = i == begin ? start.data() : weights - keys;
    for (int64_t j = 0; j < keys; ++j) {
      reached[j] = before[j];
      if (j > 0) reached[j] += (R{1} - p[j - 1]) * reached[j - 1];
    }
    std::fill(dq.begin(), dq.end(), R{0});
    R behind = 0;  // d q of the next key
    for (int64_t j = keys - 1; j >= 0; --j) {
      const T* v = forward.v + (first + j) * forward.v_stride;
      R d_weight = d_reached[j];
      for (int64_t m = 0; args.d_out != nullptr && m < value_width; ++m) {
        const R d_out = static_cast<R>(args.d_out[i * value_width + m]);
        d_weight += d_out * static_cast<R>(v[m]);
        dv[j * value_width + m] += weights[j] * d_out;
      }
      const R de = (d_weight - behind) * reached[j] * p[j] * (R{1} - p[j]);
      behind = d_weight * p[j] + behind * (R{1} - p[j]);
      d_reached[j] = behind;
      d_offset += de;
      const T* q = forward.q + i * forward.q_stride;
      const T* k = forward.k + (first + j) * forward.k_stride;
      for (int64_t a = 0; a < width; ++a) {
        if (forward.score != nullptr) {
          const R tanh = std::tanh(static_cast<R>(q[a]) + static_cast<R>(k[a]));
          const R d_sum = de * forward.score[a] * (R{1} - tanh * tanh);
          dq[a] += d_sum;
          dk[j * width + a] += d_sum;
          d_score[a] += de * tanh;
        } else {
          dq[a] += forward.scale * de * static_cast<R>(k[a]);
          dk[j * width + a] += forward.scale * de * static_cast<R>(q[a]);
        }
      }
    }
    for (int64_t a = 0; a < width; ++a) args.dq[i * width + a] = static_cast<T>(dq[a]);
  }
  for (int64_t n = 0; n < keys * width; ++n) args.dk[first * width + n] = static_cast<T>(dk[n]);
  for (int64_t n = 0; n < keys * value_width; ++n) args.dv[first * value_width + n] = static_cast<T>(dv[n]);
  if (args.d_before != nullptr) std::copy_n(d_reached.begin(), keys, args.d_before + first);
  if (args.d_score != nullptr) std::copy_n(d_score.begin(), width, args.d_score + b * width);
  args.d_offset[b] = d_offset;
}

}  // namespace heed::kernels::reference
