// The attending decoder's pass: groups of sentences through their steps, products by matmul, cells by
// recurrent_step, attention by vectors here.
#include "heed/kernels/attention_decoder.h"

#include <algorithm>
#include <cmath>
#include <type_traits>

#include "heed/kernels/cpu/attention_steps.h"
#include "heed/kernels/cpu/recurrent_step.h"
#include "heed/kernels/cpu/scratch.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "heed/kernels/cpu/attention_decoder.cc"
#include "heed/kernels/cpu/simd.h"

// After highway.h.
#include "heed/kernels/cpu/simd_math-inl.h"
#include "heed/kernels/cpu/simd_memory-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels::cpu {
namespace HWY_NAMESPACE {

// sum over i < count of weights[i * weight_stride] * rows[i], plus start if any, in ascending order: columns
// in blocks that stay in registers.
template <class T>
void weighted_sum(const float* weights, int64_t weight_stride, int64_t count, const T* rows, int64_t stride,
                  int64_t width, const T* start, T* out) {
  const F32 d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  constexpr int64_t kTogether = 8;
  int64_t j = 0;
  for (; j + kTogether * lanes <= width; j += kTogether * lanes) {
    FloatVector sum[kTogether];
#pragma GCC unroll 8
    for (int64_t p = 0; p < kTogether; ++p)
      sum[p] = start != nullptr ? load(d, start + j + p * lanes) : hn::Zero(d);
    for (int64_t i = 0; i < count; ++i) {
      const FloatVector w = hn::Set(d, weights[i * weight_stride]);
      const T* row = rows + i * stride + j;
#pragma GCC unroll 8
      for (int64_t p = 0; p < kTogether; ++p) sum[p] = hn::MulAdd(w, load(d, row + p * lanes), sum[p]);
    }
#pragma GCC unroll 8
    for (int64_t p = 0; p < kTogether; ++p) store(d, sum[p], out + j + p * lanes);
  }
  for_each_vector(d, width - j, [&](int64_t at, int64_t n) HEED_INLINE_LAMBDA {
    FloatVector sum = start != nullptr ? load_n(d, start + j + at, n) : hn::Zero(d);
    for (int64_t i = 0; i < count; ++i) {
      sum = hn::MulAdd(hn::Set(d, weights[i * weight_stride]), load_n(d, rows + i * stride + j + at, n), sum);
    }
    store_n(d, sum, out + j + at, n);
  });
}

// out[i] += x . rows[i], four rows at a time.
template <class T>
void add_products(const T* x, int64_t count, const T* rows, int64_t stride, int64_t width, float* out) {
  const F32 d;
  const auto some = [&]<int64_t kRows>(int64_t i) HWY_ATTR {
    FloatVector sum[kRows];
#pragma GCC unroll 4
    for (int64_t p = 0; p < kRows; ++p) sum[p] = hn::Zero(d);
    for_each_vector(d, width, [&](int64_t j, int64_t n) HEED_INLINE_LAMBDA {
      const FloatVector left = load_n(d, x + j, n);
#pragma GCC unroll 4
      for (int64_t p = 0; p < kRows; ++p)
        sum[p] = hn::MulAdd(left, load_n(d, rows + (i + p) * stride + j, n), sum[p]);
    });
#pragma GCC unroll 4
    for (int64_t p = 0; p < kRows; ++p) out[i + p] += hn::GetLane(hn::SumOfLanes(d, sum[p]));
  };
  int64_t i = 0;
  for (; i + 4 <= count; i += 4) some.template operator()<4>(i);
  for (; i < count; ++i) some.template operator()<1>(i);
}

template <class T>
void attend_row(const AttentionDecoderArgs<T>& args, int64_t b, const float* HWY_RESTRICT q, const T* x,
                float* HWY_RESTRICT weights, T* HWY_RESTRICT gates) {
  const F32 d;
  const int64_t first = args.key_offsets[b], keys = args.key_offsets[b + 1] - first;
  float highest = -INFINITY, sum = 0.0f;
  for (int64_t s = 0; s < keys; ++s) {
    const T* key = args.keys + (first + s) * args.key_stride;
    FloatVector score = hn::Zero(d);
    for_each_vector(d, args.score_width, [&](int64_t j, int64_t n) HEED_INLINE_LAMBDA {
      const FloatVector squashed = tanh(d, hn::Add(load_n(d, q + j, n), load_n(d, key + j, n)));
      score = hn::MulAdd(load_n(d, args.score + j, n), squashed, score);
    });
    weights[s] = hn::GetLane(hn::SumOfLanes(d, score));
    highest = std::max(highest, weights[s]);
  }
  for (int64_t s = 0; s < keys; ++s) sum += weights[s] = std::exp(weights[s] - highest);
  for (int64_t s = 0; s < keys; ++s) weights[s] /= sum;
  weighted_sum(weights, 1, keys, args.context_gates + first * args.context_gates_stride,
               args.context_gates_stride, gates_of(args.cell.cell) * args.cell.width, x, gates);
}

template <class T>
void attend_row_gradient(const AttentionDecoderGradientArgs<T>& args, int64_t b, int64_t r,
                         const T* HWY_RESTRICT d_gates, float* HWY_RESTRICT d_weights,
                         T* HWY_RESTRICT d_query) {
  const F32 d;
  const AttentionDecoderArgs<T>& forward = args.forward;
  const int64_t first = forward.key_offsets[b], keys = forward.key_offsets[b + 1] - first;
  const int64_t width = forward.score_width;
  const int64_t row = r - forward.cell.offsets[b];
  const float* weights = forward.weights + forward.weight_begin[b] + row * keys;
  add_products(d_gates, keys, forward.context_gates + first * forward.context_gates_stride,
               forward.context_gates_stride, gates_of(forward.cell.cell) * forward.cell.width, d_weights);
  float mean = 0.0f;  // of d_weights under the weights
  for (int64_t s = 0; s < keys; ++s) mean += weights[s] * d_weights[s];
  for (int64_t s = 0; s < keys; ++s) d_weights[s] = weights[s] * (d_weights[s] - mean);

  const float* q = forward.queries + r * width;
  const T* k = forward.keys + first * forward.key_stride;
  float* dk = args.d_key_sums + first * width;
  float* d_score = args.d_score + b * width;
  const FloatVector one = hn::Set(d, 1.0f);
  for_each_vector(d, width, [&](int64_t j, int64_t n) HEED_INLINE_LAMBDA {
    const FloatVector query = load_n(d, q + j, n), v = load_n(d, forward.score + j, n);
    FloatVector dq = hn::Zero(d), dv = load_n(d, d_score + j, n);
    for (int64_t s = 0; s < keys; ++s) {
      const FloatVector ds = hn::Set(d, d_weights[s]);
      const FloatVector squashed = tanh(d, hn::Add(query, load_n(d, k + s * forward.key_stride + j, n)));
      const FloatVector slope = hn::Mul(hn::Mul(ds, v), hn::NegMulAdd(squashed, squashed, one));
      dq = hn::Add(dq, slope);
      dv = hn::MulAdd(ds, squashed, dv);
      float* d_key = dk + s * width + j;
      store_n(d, hn::Add(load_n(d, d_key, n), slope), d_key, n);
    }
    store_n(d, dq, d_query + j, n);
    store_n(d, dv, d_score + j, n);
  });
}

template <class T>
void contexts_of(const AttentionDecoderArgs<T>& args, int64_t b) {
  const int64_t first = args.key_offsets[b], keys = args.key_offsets[b + 1] - first;
  const float* weights = args.weights + args.weight_begin[b];
  for (int64_t r = args.cell.offsets[b]; r < args.cell.offsets[b + 1]; ++r, weights += keys) {
    weighted_sum<T>(weights, 1, keys, args.values + first * args.value_stride, args.value_stride,
                    args.value_width, nullptr, args.contexts + r * args.value_width);
  }
}

template <class T>
void contexts_gradient(const AttentionDecoderGradientArgs<T>& args, int64_t b) {
  const AttentionDecoderArgs<T>& forward = args.forward;
  const int64_t first = forward.key_offsets[b], keys = forward.key_offsets[b + 1] - first;
  const int64_t begin = forward.cell.offsets[b], rows = forward.cell.offsets[b + 1] - begin;
  const int64_t width = forward.value_width, score_width = forward.score_width;
  const float* weights = forward.weights + forward.weight_begin[b];
  float* d_weights = args.d_weights + forward.weight_begin[b];
  std::fill_n(d_weights, rows * keys, 0.0f);
  std::fill_n(args.d_key_sums + first * score_width, keys * score_width, 0.0f);
  std::fill_n(args.d_score + b * score_width, score_width, 0.0f);
  const int64_t given = args.d_contexts == nullptr ? 0 : rows;
  const T* d_contexts = args.d_contexts + (given > 0 ? begin * args.d_contexts_stride : 0);
  for (int64_t t = 0; t < given; ++t) {
    add_products(d_contexts + t * args.d_contexts_stride, keys, forward.values + first * forward.value_stride,
                 forward.value_stride, width, d_weights + t * keys);
  }
  for (int64_t s = 0; s < keys; ++s) {
    weighted_sum<T>(weights + s, keys, given, d_contexts, args.d_contexts_stride, width, nullptr,
                    args.d_values + (first + s) * width);
  }
}

template <class T>
void sources_gradient(const AttentionDecoderGradientArgs<T>& args, int64_t b) {
  const AttentionDecoderArgs<T>& forward = args.forward;
  const int64_t first = forward.key_offsets[b], keys = forward.key_offsets[b + 1] - first;
  const int64_t begin = forward.cell.offsets[b], rows = forward.cell.offsets[b + 1] - begin;
  const int64_t all = gates_of(forward.cell.cell) * forward.cell.width, width = forward.score_width;
  const float* weights = forward.weights + forward.weight_begin[b];
  for (int64_t s = 0; s < keys; ++s) {
    weighted_sum<T>(weights + s, keys, rows, args.cell.d_gates_x + begin * all, all, all, nullptr,
                    args.d_context_gates + (first + s) * all);
  }
  if constexpr (!std::is_same_v<T, float>) {
    const F32 d;
    for_each_vector(d, keys * width, [&](int64_t j, int64_t n) HEED_INLINE_LAMBDA {
      store_n(d, load_n(d, args.d_key_sums + first * width + j, n), args.d_keys + first * width + j, n);
    });
  }
}

template <class T>
AttentionSteps<T> steps_here() {
  return {attend_row<T>, attend_row_gradient<T>, contexts_of<T>, contexts_gradient<T>, sources_gradient<T>};
}
AttentionSteps<float> steps_f32() {
  return steps_here<float>();
}
AttentionSteps<Bf16> steps_bf16() {
  return steps_here<Bf16>();
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::kernels {
namespace cpu {
HWY_EXPORT(steps_f32);
HWY_EXPORT(steps_bf16);
}  // namespace cpu

namespace {

using cpu::RecurrentGroup;
using cpu::scratch;

struct StateUse {};
struct ProductUse {};
struct InputUse {};
struct QueryUse {};
struct GatesUse {};

template <class T>
void decode_group(ThreadPool& pool, const AttentionDecoderArgs<T>& args, const RecurrentGroup& group,
                  const cpu::AttentionSteps<T>& attention) {
  const RecurrentArgs<T>& cell = args.cell;
  const int64_t width = cell.width, all = gates_of(cell.cell) * width, score_width = args.score_width;
  float* h = scratch<StateUse, float>(2 * group.size * width);
  float* c = h + group.size * width;
  float* product = scratch<ProductUse, float>(group.size * all);
  float* queries = scratch<QueryUse, float>(group.size * score_width);
  T* input = scratch<InputUse, T>(group.size * width);
  T* gates = scratch<GatesUse, T>(all);
  group.gather(cell.initial, width, h);
  group.gather(cell.initial_cell, width, c);
  std::transform(h, h + group.size * width, input, [](float v) { return static_cast<T>(v); });
  const int64_t steps = group.length(0);
  for (int64_t step = 0; step < steps; ++step) {
    const int64_t alive = group.alive(step);
    if (args.first != nullptr) {
      const RecurrentArgs<T>& first = *args.first;
      cpu::step_product(pool, input, alive, *first.weight, first.bias, false, product);
      for (int64_t i = 0; i < alive; ++i) {
        const int64_t r = group.row(i, step);
        cpu::recurrent_step(first, r, first.gates_x + r * first.gates_stride, product + i * all,
                            h + i * width, c + i * width, input + i * width);
      }
    }
    cpu::step_product(pool, input, alive, *args.query, nullptr, false, queries);
    cpu::step_product(pool, input, alive, *cell.weight, cell.bias, false, product);
    for (int64_t i = 0; i < alive; ++i) {
      const int64_t b = group.sentences[i], r = group.row(i, step);
      const int64_t keys = args.key_offsets[b + 1] - args.key_offsets[b];
      const float* q = queries + i * score_width;
      if (args.queries != nullptr) std::copy_n(q, score_width, args.queries + r * score_width);
      attention.attend(args, b, q, args.first == nullptr ? cell.gates_x + r * cell.gates_stride : nullptr,
                       args.weights + args.weight_begin[b] + step * keys, gates);
      cpu::recurrent_step(cell, r, gates, product + i * all, h + i * width, c + i * width, input + i * width);
    }
  }
}

template <class T>
void decode_group_gradient(ThreadPool& pool, const AttentionDecoderGradientArgs<T>& args,
                           const RecurrentGroup& group, const cpu::AttentionSteps<T>& attention) {
  const AttentionDecoderArgs<T>& forward = args.forward;
  const int64_t width = forward.cell.width, all = gates_of(forward.cell.cell) * width;
  const int64_t score_width = forward.score_width;
  float* dh = scratch<StateUse, float>(2 * group.size * width);
  float* dc = dh + group.size * width;
  T* d_product = scratch<InputUse, T>(group.size * all);
  T* d_queries = scratch<QueryUse, T>(group.size * score_width);
  std::fill_n(dh, 2 * group.size * width, 0.0f);
  for (int64_t step = group.length(0) - 1; step >= 0; --step) {
    const int64_t alive = group.alive(step);
    for (int64_t i = 0; i < alive; ++i) {
      const int64_t b = group.sentences[i], r = group.row(i, step);
      const int64_t keys = forward.key_offsets[b + 1] - forward.key_offsets[b];
      cpu::recurrent_step_gradient(args.cell, r, dh + i * width, dc + i * width, d_product + i * all);
      attention.attend_gradient(args, b, r, args.cell.d_gates_x + r * all,
                                args.d_weights + forward.weight_begin[b] + step * keys,
                                d_queries + i * score_width);
      std::copy_n(d_queries + i * score_width, score_width, args.d_queries + r * score_width);
    }
    cpu::step_product(pool, d_product, alive, *args.cell.weight_back, nullptr, true, dh);
    cpu::step_product(pool, d_queries, alive, *args.query_back, nullptr, true, dh);
    if (args.first == nullptr) continue;
    for (int64_t i = 0; i < alive; ++i)
      cpu::recurrent_step_gradient(*args.first, group.row(i, step), dh + i * width, dc + i * width,
                                   d_product + i * all);
    cpu::step_product(pool, d_product, alive, *args.first->weight_back, nullptr, true, dh);
  }
  group.scatter(dh, width, args.d_initial);
  group.scatter(dc, width, args.d_initial_cell);
}

// Calls f(group) for all groups, the longest first.
template <class T, class F>
void for_each_group(ThreadPool& pool, const RecurrentArgs<T>& cell, F f) {
  const std::vector<int32_t> order = cpu::sentences_by_length(cell.offsets, cell.sentences);
  pool.run_ranges(cell.sentences, kRecurrentGroup, [&](int64_t begin, int64_t end) {
    f(RecurrentGroup{cell.offsets, false, order.data() + begin, end - begin});
  });
}

template <class T>
void run(ThreadPool& pool, const AttentionDecoderArgs<T>& args, const cpu::AttentionSteps<T>& attention) {
  for_each_group(pool, args.cell,
                 [&](const RecurrentGroup& group) { decode_group(pool, args, group, attention); });
  pool.run(args.cell.sentences, [&](int64_t b) { attention.contexts(args, b); });
}

template <class T>
void run_gradient(ThreadPool& pool, const AttentionDecoderGradientArgs<T>& args,
                  const cpu::AttentionSteps<T>& attention) {
  const RecurrentArgs<T>& cell = args.forward.cell;
  pool.run(cell.sentences, [&](int64_t b) { attention.contexts_gradient(args, b); });
  for_each_group(pool, cell,
                 [&](const RecurrentGroup& group) { decode_group_gradient(pool, args, group, attention); });
  pool.run(cell.sentences, [&](int64_t b) { attention.sources_gradient(args, b); });
}

}  // namespace

void attention_decoder(ThreadPool& pool, const AttentionDecoderArgs<float>& args) {
  run(pool, args, HEED_DISPATCH(cpu::steps_f32)());
}
void attention_decoder(ThreadPool& pool, const AttentionDecoderArgs<Bf16>& args) {
  run(pool, args, HEED_DISPATCH(cpu::steps_bf16)());
}
void attention_decoder_gradient(ThreadPool& pool, const AttentionDecoderGradientArgs<float>& args) {
  run_gradient(pool, args, HEED_DISPATCH(cpu::steps_f32)());
}
void attention_decoder_gradient(ThreadPool& pool, const AttentionDecoderGradientArgs<Bf16>& args) {
  run_gradient(pool, args, HEED_DISPATCH(cpu::steps_bf16)());
}

}  // namespace heed::kernels
#endif  // HWY_ONCE
