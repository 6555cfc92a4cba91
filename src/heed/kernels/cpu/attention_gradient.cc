// Attention backward, a sentence and head at a time: weights are computed again from the log of their sum, a
// block of 64 queries by 64 keys at a time; dq gathers over blocks of keys, dk and dv over blocks of queries,
// both ascending.
#include <algorithm>
#include <cmath>
#include <optional>

#include "heed/base/random.h"
#include "heed/kernels/attention.h"
#include "heed/kernels/cpu/scratch.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "heed/kernels/cpu/attention_gradient.cc"
#include "heed/kernels/cpu/simd.h"

// After highway.h.
#include "heed/kernels/cpu/attention-inl.h"
#include "heed/kernels/cpu/dropout-inl.h"
#include "heed/kernels/cpu/guide-inl.h"
#include "heed/kernels/cpu/simd_math-inl.h"

#ifndef HEED_KERNELS_CPU_ATTENTION_GRADIENT_CC_
#define HEED_KERNELS_CPU_ATTENTION_GRADIENT_CC_
namespace heed::kernels::cpu {
struct AttentionGradientUse {};
}  // namespace heed::kernels::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace heed::kernels::cpu {
namespace HWY_NAMESPACE {

// What a guide adds to the slope of the weights of one query, from the key `first` on.
struct GuideSlope {
  GuideRow row;
  float d_guided;  // over the number of keys
  int64_t first;
};

// From scores s and products dp = d_out . v of one query, in place: weights after dropout and ds = p (dp' -
// delta), dp' with what a guide adds. Zero where the query does not see the key, up to `keys` in whole
// vectors.
HWY_INLINE void weights_and_slopes(float* HWY_RESTRICT s, float* HWY_RESTRICT dp, int64_t visible,
                                   int64_t keys, float log_sum, float delta, const float* factors,
                                   const std::optional<GuideSlope>& guide) {
  const F32 d;
  const int64_t lanes = static_cast<int64_t>(hn::Lanes(d));
  for (int64_t j = 0; j < keys; j += lanes) {
    const auto seen = hn::FirstN(d, static_cast<size_t>(std::clamp<int64_t>(visible - j, 0, lanes)));
    const FloatVector p = hn::IfThenElseZero(seen, exp(d, hn::Sub(hn::LoadU(d, s + j), hn::Set(d, log_sum))));
    FloatVector kept = p, slope = hn::LoadU(d, dp + j);
    if (factors != nullptr) {
      const FloatVector factor = hn::LoadU(d, factors + j);
      kept = hn::IfThenElseZero(seen, hn::Mul(p, factor));
      slope = hn::Mul(slope, factor);
    }
    if (guide)
      slope = hn::MulAdd(hn::Set(d, guide->d_guided), guide_penalties(guide->row, guide->first + j), slope);
    hn::StoreU(kept, d, s + j);
    hn::StoreU(hn::IfThenElseZero(seen, hn::Mul(p, hn::Sub(slope, hn::Set(d, delta)))), d, dp + j);
  }
}

template <class T>
void write_rows(const float* from, int64_t from_row, int64_t rows, int64_t width, float factor, T* to,
                int64_t stride) {
  const F32 d;
  const FloatVector factors = hn::Set(d, factor);
  for (int64_t r = 0; r < rows; ++r)
    for_each_vector(d, width, [&](int64_t c, int64_t n) HEED_INLINE_LAMBDA {
      store_n(d, hn::Mul(factors, hn::LoadU(d, from + r * from_row + c)), to + r * stride + c, n);
    });
}

template <class T>
void attention_gradient_head(const AttentionGradientArgs<T>& args, int64_t sentence, int64_t h) {
  const F32 d;
  const AttentionArgs<T>& forward = args.forward;
  const int64_t width = forward.head_width, row = whole_vectors(width), column = h * width;
  const int64_t query_begin = forward.query_offsets[sentence], key_begin = forward.key_offsets[sentence];
  const int64_t queries = forward.query_offsets[sentence + 1] - query_begin;
  const int64_t keys = forward.key_offsets[sentence + 1] - key_begin;
  const bool drops = forward.dropout.threshold() != 0;
  const Dropout dropout{forward.dropout.probability,
                        drops ? mix64(forward.dropout.key, static_cast<uint64_t>(h)) : 0};

  const bool guided = args.d_guided != nullptr && forward.guide.guides(h);

  const int64_t query_room = (queries + kBlock - 1) / kBlock * kBlock;
  float* dq =
      scratch<AttentionGradientUse, float>(query_room * (3 * row + 1) + kBlock * (6 * row + 2 * kBlock + 2));
  float* q = dq + query_room * row;
  float* d_out = q + query_room * row;
  float* delta = d_out + query_room * row;
  float* k = delta + query_room;
  float* v = k + kBlock * row;
  float* k_transposed = v + kBlock * row;
  float* v_transposed = k_transposed + kBlock * row;
  float* dk = v_transposed + kBlock * row;
  float* dv = dk + kBlock * row;
  float* weights = dv + kBlock * row;
  float* slopes = weights + kBlock * kBlock;
  float* factors = slopes + kBlock * kBlock;

  copy_rows(forward.q + query_begin * forward.q_stride + column, forward.q_stride, queries, width,
            forward.scale, q, row);
  copy_rows(args.d_out + query_begin * args.d_out_stride + column, args.d_out_stride, queries, width, 1.0f,
            d_out, row);
  for (int64_t i = 0; i < queries; ++i) {
    const T* out = forward.out + (query_begin + i) * forward.out_stride + column;
    FloatVector dot = hn::Zero(d);
    for_each_vector(d, width, [&](int64_t c, int64_t n) HEED_INLINE_LAMBDA {
      dot = hn::MulAdd(load_n(d, out + c, n), hn::LoadU(d, d_out + i * row + c), dot);
    });
    delta[i] = hn::GetLane(hn::SumOfLanes(d, dot));
    if (guided) {
      const int64_t at = (query_begin + i) * forward.heads + h;
      delta[i] += args.d_guided[at] * forward.guided[at];
    }
  }
  if (keys == 0) fill_zero(dq, queries * row);

  for (int64_t key = 0; key < keys; key += kBlock) {
    const int64_t here = std::min(kBlock, keys - key), columns = whole_vectors(here);
    copy_rows(forward.k + (key_begin + key) * forward.k_stride + column, forward.k_stride, here, width, 1.0f,
              k, row);
    copy_rows(forward.v + (key_begin + key) * forward.v_stride + column, forward.v_stride, here, width, 1.0f,
              v, row);
    transpose(k, row, here, width, k_transposed, kBlock);
    transpose(v, row, here, width, v_transposed, kBlock);
    const int64_t first_query = forward.causal ? key : 0;
    if (queries == 0) fill_zero(dk, 2 * kBlock * row);  // and dv behind it
    for (int64_t query = first_query; query < queries; query += kBlock) {
      const bool first = query == first_query;
      const int64_t rows = std::min(kBlock, queries - query);
      const float* q_here = q + query * row;
      const float* d_out_here = d_out + query * row;
      product({q_here, row, 1}, k_transposed, kBlock, rows, width, 0, true, weights, kBlock, columns);
      product({d_out_here, row, 1}, v_transposed, kBlock, rows, width, 0, true, slopes, kBlock, columns);
      for (int64_t i = 0; i < rows; ++i) {
        const int64_t r = query_begin + query + i;
        const int64_t visible = forward.causal ? std::min(here, query + i + 1 - key) : here;
        if (drops) dropout_factors(dropout, forward.query_row_keys[r], key, visible, factors);
        std::optional<GuideSlope> guide;
        if (guided) {
          const float d_guided = args.d_guided[r * forward.heads + h] / static_cast<float>(keys);
          guide.emplace(GuideSlope{GuideRow(forward.guide, r, keys), d_guided, key});
        }
        weights_and_slopes(weights + i * kBlock, slopes + i * kBlock, visible, here,
                           forward.log_sum[r * forward.heads + h], delta[query + i],
                           drops ? factors : nullptr, guide);
      }
      product({weights, 1, kBlock}, d_out_here, row, here, rows, 0, first, dv, row, row);
      product({slopes, 1, kBlock}, q_here, row, here, rows, 0, first, dk, row, row);
      product({slopes, kBlock, 1}, k, row, rows, here, 0, key == 0, dq + query * row, row, row);
    }
    write_rows(dk, row, here, width, 1.0f, args.dk + (key_begin + key) * args.dk_stride + column,
               args.dk_stride);
    write_rows(dv, row, here, width, 1.0f, args.dv + (key_begin + key) * args.dv_stride + column,
               args.dv_stride);
  }
  write_rows(dq, row, queries, width, forward.scale, args.dq + query_begin * args.dq_stride + column,
             args.dq_stride);
}

void attention_gradient_f32(const AttentionGradientArgs<float>& args, int64_t sentence, int64_t head) {
  attention_gradient_head(args, sentence, head);
}
void attention_gradient_bf16(const AttentionGradientArgs<Bf16>& args, int64_t sentence, int64_t head) {
  attention_gradient_head(args, sentence, head);
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::kernels {
namespace cpu {
HWY_EXPORT(attention_gradient_f32);
HWY_EXPORT(attention_gradient_bf16);
}  // namespace cpu

namespace {

template <class Args, class Kernel>
void by_heads(ThreadPool& pool, const Args& args, Kernel kernel) {
  const int64_t heads = args.forward.heads;
  pool.run(args.forward.sentences * heads,
           [&](int64_t piece) { kernel(args, piece / heads, piece % heads); });
}

}  // namespace

void attention_gradient(ThreadPool& pool, const AttentionGradientArgs<float>& args) {
  by_heads(pool, args, HEED_DISPATCH(cpu::attention_gradient_f32));
}
void attention_gradient(ThreadPool& pool, const AttentionGradientArgs<Bf16>& args) {
  by_heads(pool, args, HEED_DISPATCH(cpu::attention_gradient_bf16));
}

}  // namespace heed::kernels
#endif  // HWY_ONCE
