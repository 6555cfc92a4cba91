// Additive attention with vectors over the width of the scores and of the values. A sentence is one piece:
// its keys and values are widened once to f32 rows padded with zeros, which add nothing to any sum, so that
// every loop runs over whole vectors.
#include "heed/kernels/additive_attention.h"

#include <algorithm>
#include <cmath>

#include "heed/kernels/cpu/scratch.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "heed/kernels/cpu/additive_attention.cc"
#include "heed/kernels/cpu/simd.h"

// After highway.h.
#include "heed/kernels/cpu/attention_rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels::cpu {
namespace HWY_NAMESPACE {

struct SentenceUse {};

// Rows of T as f32, each padded with zeros to whole vectors.
template <class T>
void widen(const T* from, int64_t stride, int64_t rows, int64_t width, float* to) {
  const F32 d;
  const int64_t room = padded(width);
  for (int64_t r = 0; r < rows; ++r, from += stride, to += room) {
    for_each_vector(d, width, [&](int64_t j, int64_t n) HEED_INLINE_LAMBDA {
      hn::StoreU(load_n(d, from + j, n), d, to + j);  // past the end: zeros, which the room has place for
    });
    std::fill(to + width, to + room, 0.0f);
  }
}

template <class T>
void narrow(const float* from, int64_t rows, int64_t width, T* to) {
  const int64_t room = padded(width);
  for (int64_t r = 0; r < rows; ++r, from += room, to += width) convert_row(from, width, to);
}

template <class T>
HWY_NOINLINE void attend(const AdditiveAttentionArgs<T>& args, int64_t b) {
  if (args.query_offsets[b] == args.query_offsets[b + 1]) return;  // ended, while others of its batch go on
  const int64_t first = args.key_begin[b], keys = args.key_end[b] - first;
  const int64_t room = padded(args.width), value_room = padded(args.value_width);
  float* k = scratch<SentenceUse, float>(keys * (room + value_room) + 2 * room + value_room);
  float* v = k + keys * room;
  float* score = v + keys * value_room;
  float* q = score + room;
  float* context = q + room;
  const bool wants_contexts = args.out != nullptr;
  widen(args.k + first * args.k_stride, args.k_stride, keys, args.width, k);
  if (wants_contexts) widen(args.v + first * args.v_stride, args.v_stride, keys, args.value_width, v);
  widen(args.score, args.width, 1, args.width, score);

  float* weights = args.weights + args.weight_begin[b];
  for (int64_t i = args.query_offsets[b]; i < args.query_offsets[b + 1]; ++i, weights += keys) {
    widen(args.q + i * args.q_stride, args.q_stride, 1, args.width, q);
    float highest = -INFINITY, sum = 0.0f;
    for (int64_t s = 0; s < keys; ++s) {
      weights[s] = additive_score(q, k + s * room, score, room);
      highest = std::max(highest, weights[s]);
    }
    for (int64_t s = 0; s < keys; ++s) sum += weights[s] = std::exp(weights[s] - highest);
    for (int64_t s = 0; s < keys; ++s) weights[s] /= sum;
    if (args.guide) {
      float guided = 0.0f;
      for (int64_t s = 0; s < keys; ++s) guided += weights[s] * guide_penalty<float>(args.guide, i, s, keys);
      args.guided[i] = keys == 0 ? 0.0f : guided / static_cast<float>(keys);
    }
    if (!wants_contexts) continue;
    std::fill_n(context, value_room, 0.0f);
    for (int64_t s = 0; s < keys; ++s) add_scaled_row(weights[s], v + s * value_room, context, value_room);
    narrow(context, 1, args.value_width, args.out + i * args.value_width);
  }
}

template <class T>
HWY_NOINLINE void attend_gradient(const AdditiveAttentionGradientArgs<T>& args, int64_t b) {
  const AdditiveAttentionArgs<T>& forward = args.forward;
  const int64_t first = forward.key_begin[b], keys = forward.key_end[b] - first;
  const int64_t width = forward.width, value_width = forward.value_width;
  const int64_t room = padded(width), value_room = padded(value_width);
  float* k = scratch<SentenceUse, float>(2 * keys * (room + value_room) + 4 * room + value_room + keys);
  float* v = k + keys * room;
  float* dk = v + keys * value_room;
  float* dv = dk + keys * room;
  float* score = dv + keys * value_room;
  float* d_score = score + room;
  float* q = d_score + room;
  float* dq = q + room;
  float* d_out = dq + room;
  float* d_weight = d_out + value_room;
  widen(forward.k + first * forward.k_stride, forward.k_stride, keys, width, k);
  widen(forward.v + first * forward.v_stride, forward.v_stride, keys, value_width, v);
  widen(forward.score, width, 1, width, score);
  std::fill(dk, score, 0.0f);
  std::fill_n(d_score, room, 0.0f);

  const float* weights = forward.weights + forward.weight_begin[b];
  for (int64_t i = forward.query_offsets[b]; i < forward.query_offsets[b + 1]; ++i, weights += keys) {
    widen(forward.q + i * forward.q_stride, forward.q_stride, 1, width, q);
    widen(args.d_out + i * args.d_out_stride, args.d_out_stride, 1, value_width, d_out);
    float mean = 0.0f;  // of d_weight under the weights
    for (int64_t s = 0; s < keys; ++s) {
      d_weight[s] = product_of(d_out, v + s * value_room, value_room);
      if (args.d_guided != nullptr)
        d_weight[s] +=
            args.d_guided[i] / static_cast<float>(keys) * guide_penalty<float>(forward.guide, i, s, keys);
      mean += weights[s] * d_weight[s];
      add_scaled_row(weights[s], d_out, dv + s * value_room, value_room);
    }
    std::fill_n(dq, room, 0.0f);
    for (int64_t s = 0; s < keys; ++s)
      add_additive_gradient(weights[s] * (d_weight[s] - mean), q, k + s * room, score, dq, dk + s * room,
                            d_score, room);
    narrow(dq, 1, width, args.dq + i * width);
  }
  narrow(dk, keys, width, args.dk + first * width);
  narrow(dv, keys, value_width, args.dv + first * value_width);
  narrow(d_score, 1, width, args.d_score + b * width);
}

void attend_f32(const AdditiveAttentionArgs<float>& args, int64_t b) {
  attend(args, b);
}
void attend_bf16(const AdditiveAttentionArgs<Bf16>& args, int64_t b) {
  attend(args, b);
}
void attend_gradient_f32(const AdditiveAttentionGradientArgs<float>& args, int64_t b) {
  attend_gradient(args, b);
}
void attend_gradient_bf16(const AdditiveAttentionGradientArgs<Bf16>& args, int64_t b) {
  attend_gradient(args, b);
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::kernels {
namespace cpu {
HWY_EXPORT(attend_f32);
HWY_EXPORT(attend_bf16);
HWY_EXPORT(attend_gradient_f32);
HWY_EXPORT(attend_gradient_bf16);
}  // namespace cpu

void additive_attention(ThreadPool& pool, const AdditiveAttentionArgs<float>& args) {
  const auto kernel = HEED_DISPATCH(cpu::attend_f32);
  pool.run(args.sentences, [&](int64_t b) { kernel(args, b); });
}
void additive_attention(ThreadPool& pool, const AdditiveAttentionArgs<Bf16>& args) {
  const auto kernel = HEED_DISPATCH(cpu::attend_bf16);
  pool.run(args.sentences, [&](int64_t b) { kernel(args, b); });
}
void additive_attention_gradient(ThreadPool& pool, const AdditiveAttentionGradientArgs<float>& args) {
  const auto kernel = HEED_DISPATCH(cpu::attend_gradient_f32);
  pool.run(args.forward.sentences, [&](int64_t b) { kernel(args, b); });
}
void additive_attention_gradient(ThreadPool& pool, const AdditiveAttentionGradientArgs<Bf16>& args) {
  const auto kernel = HEED_DISPATCH(cpu::attend_gradient_bf16);
  pool.run(args.forward.sentences, [&](int64_t b) { kernel(args, b); });
}

}  // namespace heed::kernels
#endif  // HWY_ONCE
