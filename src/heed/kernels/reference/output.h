// The output layer with softmax, loss, gradient and top-k, in plain loops over one row at a time. Letters as
// in kernels/output.h: R rows, D width, V words. The weight is B [D, V] with strides, as in
// reference/matmul.h.
#pragma once

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <numeric>
#include <vector>

#include "heed/kernels/reference/matmul.h"

namespace heed::kernels::reference {

template <class T>
struct OutputArgs {
  int64_t rows = 0, width = 0, words = 0;
  const T* x = nullptr;  // [R, D]
  const Sum<T>* weight = nullptr;
  int64_t weight_stride_k = 0, weight_stride_n = 0;
  const Sum<T>* bias = nullptr;  // [V] or null
};

// log_probs [V] of one row: log softmax(x B + bias).
template <class T>
void output_log_probs_of_row(const OutputArgs<T>& args, int64_t row, Sum<T>* log_probs) {
  using S = Sum<T>;
  matmul<T, S, S>({.rows = 1,
                   .inner = args.width,
                   .outer = args.words,
                   .x = args.x + row * args.width,
                   .x_stride = args.width,
                   .b = args.weight,
                   .b_stride_k = args.weight_stride_k,
                   .b_stride_n = args.weight_stride_n,
                   .bias = args.bias,
                   .y = log_probs,
                   .y_stride = args.words});
  const S highest = *std::max_element(log_probs, log_probs + args.words);
  S sum = 0;
  for (int64_t v = 0; v < args.words; ++v) sum += std::exp(log_probs[v] - highest);
  const S log_sum = highest + std::log(sum);
  for (int64_t v = 0; v < args.words; ++v) log_probs[v] -= log_sum;
}

template <class T>
void output_log_probs(const OutputArgs<T>& args, Sum<T>* log_probs) {
  for (int64_t r = 0; r < args.rows; ++r) {
    output_log_probs_of_row(args, r, log_probs + r * args.words);
  }
}

// loss = -(1 - s) log p(target) - s/V sum log p(word), hence d logit = p - (1 - s) [word is target] - s/V.
template <class T>
struct OutputLossArgs : OutputArgs<T> {
  const int32_t* targets = nullptr;  // [R]
  Sum<T> smoothing = 0;
  Sum<T>* loss = nullptr;      // [R]
  Sum<T>* log_prob = nullptr;  // [R] or null
  // all null when no gradient is wanted
  T* dx = nullptr;            // [R, D]
  Sum<T>* dweight = nullptr;  // [V, D], overwritten
  Sum<T>* dbias = nullptr;    // [V], overwritten, or null
};

template <class T>
void output_loss(const OutputLossArgs<T>& args) {
  using S = Sum<T>;
  const int64_t D = args.width, V = args.words;
  std::vector<S> log_probs(V), d_logits(V), d_row(D);
  if (args.dweight != nullptr) std::fill_n(args.dweight, V * D, S(0));
  if (args.dbias != nullptr) std::fill_n(args.dbias, V, S(0));
  for (int64_t r = 0; r < args.rows; ++r) {
    output_log_probs_of_row(args, r, log_probs.data());
    const int32_t target = args.targets[r];
    const S total = std::accumulate(log_probs.begin(), log_probs.end(), S(0));
    args.loss[r] = -(1 - args.smoothing) * log_probs[target] - args.smoothing / S(V) * total;
    if (args.log_prob != nullptr) args.log_prob[r] = log_probs[target];
    if (args.dx == nullptr && args.dweight == nullptr) continue;

    for (int64_t v = 0; v < V; ++v) d_logits[v] = std::exp(log_probs[v]) - args.smoothing / S(V);
    d_logits[target] -= 1 - args.smoothing;
    std::fill(d_row.begin(), d_row.end(), S(0));
    for (int64_t v = 0; v < V; ++v) {
      for (int64_t d = 0; d < D; ++d) {
        d_row[d] += d_logits[v] * S(args.weight[d * args.weight_stride_k + v * args.weight_stride_n]);
        if (args.dweight != nullptr) args.dweight[v * D + d] += d_logits[v] * S(args.x[r * D + d]);
      }
      if (args.dbias != nullptr) args.dbias[v] += d_logits[v];
    }
    if (args.dx == nullptr) continue;
    for (int64_t d = 0; d < D; ++d) args.dx[r * D + d] = T(d_row[d]);
  }
}

// The k best words of each row by log-probability plus row_bias, best first; ties go to the smaller id.
template <class T>
void output_top_k(const OutputArgs<T>& args, const Sum<T>* row_bias, int64_t k, int32_t* ids,
                  Sum<T>* log_probs) {
  using S = Sum<T>;
  std::vector<S> scores(args.words);
  std::vector<int32_t> order(args.words);
  for (int64_t r = 0; r < args.rows; ++r) {
    output_log_probs_of_row(args, r, scores.data());
    for (int64_t v = 0; row_bias != nullptr && v < args.words; ++v) scores[v] += row_bias[r * args.words + v];
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return scores[a] > scores[b]; });
    for (int64_t i = 0; i < k; ++i) {
      ids[r * k + i] = order[i];
      log_probs[r * k + i] = scores[order[i]];
    }
  }
}

}  // namespace heed::kernels::reference
