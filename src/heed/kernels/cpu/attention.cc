// Attention forward: blocks of 64 queries against blocks of 64 keys, scores of a block in L1, a running
// maximum and sum a query (Milakov & Gimelshein 2018, Dao et al. 2022).
#include "heed/kernels/attention.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "heed/base/random.h"
#include "heed/kernels/cpu/prefetch.h"
#include "heed/kernels/cpu/scratch.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "heed/kernels/cpu/attention.cc"
#include "heed/kernels/cpu/simd.h"

// After highway.h.
#include "heed/kernels/cpu/attention-inl.h"
#include "heed/kernels/cpu/dropout-inl.h"
#include "heed/kernels/cpu/guide-inl.h"
#include "heed/kernels/cpu/simd_math-inl.h"

#ifndef HEED_KERNELS_CPU_ATTENTION_CC_
#define HEED_KERNELS_CPU_ATTENTION_CC_
namespace heed::kernels::cpu {
// Queries [begin, end) of a sentence, as rows of the batch.
struct AttentionPiece {
  int32_t sentence, begin, end;
};
struct AttentionUse {};
}  // namespace heed::kernels::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace heed::kernels::cpu {
namespace HWY_NAMESPACE {

constexpr float kMinusInfinity = -std::numeric_limits<float>::infinity();

// Turns scores[0 .. visible) into exp(score - maximum), zeros up to whole vectors; updates the running
// maximum and sum. Returns by how much what was summed before shrinks.
HWY_INLINE float exponentials(float* HWY_RESTRICT scores, int64_t visible, float& maximum, float& sum) {
  const F32 d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  const int64_t full = visible / lanes * lanes;
  const FloatVector lowest = hn::Set(d, kMinusInfinity);
  if (full < visible) {
    const auto seen = hn::FirstN(d, static_cast<size_t>(visible - full));
    hn::StoreU(hn::IfThenElse(seen, hn::LoadU(d, scores + full), lowest), d, scores + full);
  }
  FloatVector highest = hn::Set(d, maximum);
  for (int64_t j = 0; j < visible; j += lanes) highest = hn::Max(highest, hn::LoadU(d, scores + j));
  const float new_maximum = hn::GetLane(hn::MaxOfLanes(d, highest));
  const FloatVector shift = hn::Set(d, new_maximum);
  FloatVector total = hn::Zero(d);
  for (int64_t j = 0; j < visible; j += lanes) {
    const FloatVector e = exp(d, hn::Sub(hn::LoadU(d, scores + j), shift));
    total = hn::Add(total, e);
    hn::StoreU(e, d, scores + j);
  }
  const float shrink = maximum == kMinusInfinity ? 0.0f : std::exp(maximum - new_maximum);
  maximum = new_maximum;
  sum = sum * shrink + hn::GetLane(hn::SumOfLanes(d, total));
  return shrink;
}

HWY_INLINE void multiply(float* HWY_RESTRICT x, int64_t size, const float* HWY_RESTRICT factors) {
  const F32 d;
  for (int64_t i = 0; i < size; i += static_cast<int64_t>(hn::Lanes(d)))
    hn::StoreU(hn::Mul(hn::LoadU(d, x + i), hn::LoadU(d, factors + i)), d, x + i);
}
HWY_INLINE void multiply(float* HWY_RESTRICT x, int64_t size, float factor) {
  const F32 d;
  for (int64_t i = 0; i < size; i += static_cast<int64_t>(hn::Lanes(d)))
    hn::StoreU(hn::Mul(hn::LoadU(d, x + i), hn::Set(d, factor)), d, x + i);
}

template <class T>
void attention_block(const AttentionArgs<T>& args, const AttentionPiece& piece) {
  const F32 d;
  const int64_t width = args.head_width, row = whole_vectors(width);
  const int64_t queries = piece.end - piece.begin;
  const int64_t first_query = piece.begin - args.query_offsets[piece.sentence];
  const int64_t key_begin = args.key_offsets[piece.sentence];
  const int64_t all_keys = args.key_offsets[piece.sentence + 1] - key_begin;
  const int64_t keys = args.causal ? first_query + queries : all_keys;
  const bool drops = args.dropout.threshold() != 0;

  float* q = scratch<AttentionUse, float>(kBlock * (5 * row + kBlock) + 5 * kBlock);
  float* out = q + kBlock * row;
  float* k = out + kBlock * row;
  float* v = k + kBlock * row;
  float* k_transposed = v + kBlock * row;  // [width, kBlock]
  float* scores = k_transposed + kBlock * row;
  float* maximum = scores + kBlock * kBlock;
  float* sum = maximum + kBlock;
  float* guided = sum + kBlock;
  float* factors = guided + kBlock;

  for (int64_t h = 0; h < args.heads; ++h) {
    const Dropout dropout{args.dropout.probability,
                          drops ? mix64(args.dropout.key, static_cast<uint64_t>(h)) : 0};
    copy_rows(args.q + piece.begin * args.q_stride + h * width, args.q_stride, queries, width, args.scale, q,
              row);
    if (keys == 0) fill_zero(out, queries * row);
    std::fill_n(maximum, queries, kMinusInfinity);
    std::fill_n(sum, queries, 0.0f);
    std::fill_n(guided, queries, 0.0f);
    for (int64_t key = 0; key < keys; key += kBlock) {
      const int64_t here = std::min(kBlock, keys - key);
      copy_rows(args.k + (key_begin + key) * args.k_stride + h * width, args.k_stride, here, width, 1.0f, k,
                row);
      copy_rows(args.v + (key_begin + key) * args.v_stride + h * width, args.v_stride, here, width, 1.0f, v,
                row);
      transpose(k, row, here, width, k_transposed, kBlock);
      product({q, row, 1}, k_transposed, kBlock, queries, width, 0, true, scores, kBlock,
              whole_vectors(here));
      // In the block on the diagonal query i sees i + 1 keys, else all see all.
      const bool diagonal = args.causal && key + kBlock > first_query;
      for (int64_t i = 0; i < queries; ++i) {
        const int64_t visible = diagonal ? std::min(here, first_query + i + 1 - key) : here;
        const float shrink = exponentials(scores + i * kBlock, visible, maximum[i], sum[i]);
        if (key > 0) multiply(out + i * row, row, shrink);
        if (args.guide.guides(h))
          guided[i] = guided[i] * shrink + guided_sum(scores + i * kBlock, visible,
                                                      GuideRow(args.guide, piece.begin + i, all_keys), key);
        if (drops) {
          dropout_factors(dropout, args.query_row_keys[piece.begin + i], key, visible, factors);
          multiply(scores + i * kBlock, visible, factors);
        }
      }
      product({scores, kBlock, 1}, v, row, queries, diagonal ? first_query + 1 - key : here, diagonal ? 1 : 0,
              key == 0, out, row, row);
    }
    for (int64_t i = 0; i < queries; ++i) {
      const FloatVector norm = hn::Set(d, keys == 0 ? 0.0f : 1.0f / sum[i]);
      T* to = args.out + (piece.begin + i) * args.out_stride + h * width;
      for_each_vector(d, width, [&](int64_t c, int64_t n) HEED_INLINE_LAMBDA {
        store_n(d, hn::Mul(norm, hn::LoadU(d, out + i * row + c)), to + c, n);
      });
      if (args.log_sum != nullptr)
        args.log_sum[(piece.begin + i) * args.heads + h] =
            keys == 0 ? kMinusInfinity : maximum[i] + std::log(sum[i]);
      if (args.guide)
        args.guided[(piece.begin + i) * args.heads + h] =
            keys == 0 ? 0.0f : guided[i] / sum[i] / static_cast<float>(all_keys);
    }
  }
}

// The rows of keys and values that a query sees.
template <class T>
struct StepRows {
  const AttentionStepArgs<T>& args;
  int64_t query;

  int64_t size() const { return args.row_offsets[query + 1] - args.row_offsets[query]; }
  int64_t operator[](int64_t j) const {
    return args.rows != nullptr ? args.rows[args.row_offsets[query] + j] : args.first[query] + j;
  }
};

// Heads go through the rows one after the other, a part of each row at a time, and the rows lie anywhere: the
// first ones are asked for whole.
template <class T>
HWY_INLINE void prefetch(const StepRows<T>& rows) {
  constexpr int64_t kMost = 64;  // keys and values that stay in L2
  const int64_t width = rows.args.heads * rows.args.head_width, keys = std::min(kMost, rows.size());
  for (int64_t j = 0; j < keys; ++j) {
    prefetch_row(rows.args.k + rows[j] * rows.args.k_stride, width);
    prefetch_row(rows.args.v + rows[j] * rows.args.v_stride, width);
  }
}

// kVectors vectors of out = norm * sum of weights[j] v[j], whose sums stay in registers over all keys; the
// last of them `last` elements wide.
template <int kVectors, class T>
HWY_INLINE void weighted_values(const StepRows<T>& rows, const T* v, const float* weights, float norm,
                                int64_t last, T* out) {
  const F32 d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d)), keys = rows.size();
  FloatVector sums[kVectors];
#pragma GCC unroll 4
  for (FloatVector& sum : sums) sum = hn::Zero(d);
  for (int64_t j = 0; j < keys; ++j) {
    const T* value = v + rows[j] * rows.args.v_stride;
    const FloatVector weight = hn::Set(d, weights[j]);
#pragma GCC unroll 4
    for (int i = 0; i < kVectors; ++i) {
      sums[i] = hn::MulAdd(weight, load_n(d, value + i * lanes, i + 1 < kVectors ? lanes : last), sums[i]);
    }
  }
#pragma GCC unroll 4
  for (int i = 0; i < kVectors; ++i) {
    store_n(d, hn::Mul(hn::Set(d, norm), sums[i]), out + i * lanes, i + 1 < kVectors ? lanes : last);
  }
}

template <class T>
void attention_step_query(const AttentionStepArgs<T>& args, int64_t r) {
  const F32 d;
  const StepRows<T> rows{args, r};
  const int64_t width = args.head_width, keys = rows.size(), lanes = static_cast<int64_t>(hn::Lanes(d));
  float* scores = scratch<AttentionUse, float>(padded(keys) + padded(width));
  float* query = scores + padded(keys);
  prefetch(rows);
  for (int64_t h = 0; h < args.heads; ++h) {
    copy_rows(args.q + r * args.q_stride + h * width, args.q_stride, 1, width, args.scale, query,
              padded(width));
    for (int64_t j = 0; j < keys; ++j) {
      const T* key = args.k + rows[j] * args.k_stride + h * width;
      FloatVector dot = hn::Zero(d);
      for_each_vector(d, width, [&](int64_t c, int64_t n) HEED_INLINE_LAMBDA {
        dot = hn::MulAdd(hn::LoadU(d, query + c), load_n(d, key + c, n), dot);
      });
      scores[j] = hn::GetLane(hn::SumOfLanes(d, dot));
    }
    float maximum = kMinusInfinity, sum = 0.0f;
    if (keys > 0) exponentials(scores, keys, maximum, sum);
    const float norm = keys == 0 ? 0.0f : 1.0f / sum;
    const T* values = args.v + h * width;
    T* out = args.out + r * args.out_stride + h * width;
    int64_t c = 0;
    for (; c + 4 * lanes <= width; c += 4 * lanes)
      weighted_values<4>(rows, values + c, scores, norm, lanes, out + c);
    for (; c < width; c += lanes)
      weighted_values<1>(rows, values + c, scores, norm, std::min(lanes, width - c), out + c);
  }
}

void attention_f32(const AttentionArgs<float>& args, const AttentionPiece& piece) {
  attention_block(args, piece);
}
void attention_bf16(const AttentionArgs<Bf16>& args, const AttentionPiece& piece) {
  attention_block(args, piece);
}
void attention_step_f32(const AttentionStepArgs<float>& args, int64_t query) {
  attention_step_query(args, query);
}
void attention_step_bf16(const AttentionStepArgs<Bf16>& args, int64_t query) {
  attention_step_query(args, query);
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::kernels {
namespace cpu {
HWY_EXPORT(attention_f32);
HWY_EXPORT(attention_bf16);
HWY_EXPORT(attention_step_f32);
HWY_EXPORT(attention_step_bf16);
}  // namespace cpu

namespace {

template <class Args, class Kernel>
void by_query_blocks(ThreadPool& pool, const Args& args, Kernel kernel) {
  constexpr int32_t kQueries = 64;
  std::vector<cpu::AttentionPiece> pieces;
  pieces.reserve(static_cast<size_t>(args.sentences));
  for (int32_t b = 0; b < args.sentences; ++b)
    for (int32_t begin = args.query_offsets[b]; begin < args.query_offsets[b + 1]; begin += kQueries)
      pieces.push_back({b, begin, std::min(begin + kQueries, args.query_offsets[b + 1])});
  pool.run(static_cast<int64_t>(pieces.size()), [&](int64_t piece) { kernel(args, pieces[piece]); });
}

}  // namespace

void attention(ThreadPool& pool, const AttentionArgs<float>& args) {
  by_query_blocks(pool, args, HEED_DISPATCH(cpu::attention_f32));
}
void attention(ThreadPool& pool, const AttentionArgs<Bf16>& args) {
  by_query_blocks(pool, args, HEED_DISPATCH(cpu::attention_bf16));
}
void attention_step(ThreadPool& pool, const AttentionStepArgs<float>& args) {
  const auto kernel = HEED_DISPATCH(cpu::attention_step_f32);
  pool.run(args.queries, [&](int64_t query) { kernel(args, query); });
}
void attention_step(ThreadPool& pool, const AttentionStepArgs<Bf16>& args) {
  const auto kernel = HEED_DISPATCH(cpu::attention_step_bf16);
  pool.run(args.queries, [&](int64_t query) { kernel(args, query); });
}

}  // namespace heed::kernels
#endif  // HWY_ONCE
