// Attention to windows with vectors over the width of the scores and of the values. A sentence is one piece;
// keys and values are read where they are, for a window is all that a query sees of them.
#include "heed/kernels/local_attention.h"

#include <algorithm>

#include "heed/kernels/cpu/scratch.h"
#include "heed/kernels/reference/local_attention.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "heed/kernels/cpu/local_attention.cc"
#include "heed/kernels/cpu/simd.h"

// After highway.h.
#include "heed/kernels/cpu/attention_rows-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels::cpu {
namespace HWY_NAMESPACE {

struct WindowUse {};

// score . tanh(q + k), or scale q . k without a score
template <class T>
float window_score(const LocalAttentionArgs<T>& args, const float* HWY_RESTRICT q, const T* HWY_RESTRICT k) {
  if (args.score == nullptr) return args.scale * product_of(q, k, args.width);
  return additive_score(q, k, args.score, args.width);
}

// The window of query i, whose row of f32 is q.
template <class T>
reference::Window<float> window_at(const LocalAttentionArgs<T>& args, int64_t b, int64_t i, const float* q) {
  return reference::window_of(
      args, b, i, [&](int64_t key) HWY_ATTR { return window_score(args, q, args.k + key * args.k_stride); });
}

template <class T>
HWY_NOINLINE void attend_locally(const LocalAttentionArgs<T>& args, int64_t b) {
  const int64_t first = args.key_begin[b], keys = args.key_end[b] - first;
  float* q = scratch<WindowUse, float>(args.width + args.value_width);
  float* context = q + args.width;
  float* weights = args.weights != nullptr ? args.weights + args.weight_begin[b] : nullptr;
  for (int64_t i = args.query_offsets[b]; i < args.query_offsets[b + 1]; ++i) {
    convert_row(args.q + i * args.q_stride, args.width, q);
    const reference::Window<float> window = window_at(args, b, i, q);
    std::fill_n(context, args.value_width, 0.0f);
    if (weights != nullptr) std::fill_n(weights, keys, 0.0f);
    for (int64_t s = window.begin; s < window.end; ++s) {
      const float weight = window.softmax[s - window.begin] * window.bell[s - window.begin];
      if (weights != nullptr) weights[s] = weight;
      if (args.out != nullptr)
        add_scaled_row(weight, args.v + (first + s) * args.v_stride, context, args.value_width);
    }
    if (weights != nullptr) weights += keys;
    if (args.out != nullptr) convert_row(context, args.value_width, args.out + i * args.value_width);
  }
}

template <class T>
HWY_NOINLINE void attend_locally_gradient(const LocalAttentionGradientArgs<T>& args, int64_t b) {
  const LocalAttentionArgs<T>& forward = args.forward;
  const int64_t first = forward.key_begin[b], keys = forward.key_end[b] - first;
  const int64_t width = forward.width, value_width = forward.value_width;
  const float spread = static_cast<float>(forward.reach) / 2;
  float* dk = scratch<WindowUse, float>(keys * (width + value_width) + 3 * width + value_width + keys);
  float* dv = dk + keys * width;
  float* d_score = dv + keys * value_width;
  float* q = d_score + width;
  float* dq = q + width;
  float* d_out = dq + width;
  float* d_share = d_out + value_width;  // of a window's keys
  std::fill(dk, q, 0.0f);
  for (int64_t i = forward.query_offsets[b]; i < forward.query_offsets[b + 1]; ++i) {
    convert_row(forward.q + i * forward.q_stride, width, q);
    convert_row(args.d_out + i * args.d_out_stride, value_width, d_out);
    const reference::Window<float> window = window_at(forward, b, i, q);
    float mean = 0.0f, dp = 0.0f;  // mean of d_share under the softmax
    for (int64_t s = window.begin; s < window.end; ++s) {
      const float share = window.softmax[s - window.begin], bell = window.bell[s - window.begin];
      const float d_weight = product_of(d_out, forward.v + (first + s) * forward.v_stride, value_width);
      add_scaled_row(share * bell, d_out, dv + s * value_width, value_width);
      d_share[s - window.begin] = d_weight * bell;
      mean += share * d_weight * bell;
      dp += d_weight * share * bell * (static_cast<float>(s) - window.p) / (spread * spread);
    }
    if (args.d_places != nullptr)
      args.d_places[i] =
          static_cast<T>(dp * static_cast<float>(keys) * window.sigmoid * (1 - window.sigmoid));
    std::fill_n(dq, width, 0.0f);
    for (int64_t s = window.begin; s < window.end; ++s) {
      const float ds = window.softmax[s - window.begin] * (d_share[s - window.begin] - mean);
      const T* HWY_RESTRICT key = forward.k + (first + s) * forward.k_stride;
      float* HWY_RESTRICT d_key = dk + s * width;
      if (forward.score == nullptr) {
        add_scaled_row(ds * forward.scale, key, dq, width);
        add_scaled_row(ds * forward.scale, q, d_key, width);
      } else {
        add_additive_gradient(ds, q, key, forward.score, dq, d_key, d_score, width);
      }
    }
    convert_row(dq, width, args.dq + i * width);
  }
  convert_row(dk, keys * width, args.dk + first * width);
  convert_row(dv, keys * value_width, args.dv + first * value_width);
  if (args.d_score != nullptr) std::copy_n(d_score, width, args.d_score + b * width);
}

void attend_locally_f32(const LocalAttentionArgs<float>& args, int64_t b) {
  attend_locally(args, b);
}
void attend_locally_bf16(const LocalAttentionArgs<Bf16>& args, int64_t b) {
  attend_locally(args, b);
}
void attend_locally_gradient_f32(const LocalAttentionGradientArgs<float>& args, int64_t b) {
  attend_locally_gradient(args, b);
}
void attend_locally_gradient_bf16(const LocalAttentionGradientArgs<Bf16>& args, int64_t b) {
  attend_locally_gradient(args, b);
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::kernels {
namespace cpu {
HWY_EXPORT(attend_locally_f32);
HWY_EXPORT(attend_locally_bf16);
HWY_EXPORT(attend_locally_gradient_f32);
HWY_EXPORT(attend_locally_gradient_bf16);
}  // namespace cpu

void local_attention(ThreadPool& pool, const LocalAttentionArgs<float>& args) {
  const auto kernel = HEED_DISPATCH(cpu::attend_locally_f32);
  pool.run(args.sentences, [&](int64_t b) { kernel(args, b); });
}
void local_attention(ThreadPool& pool, const LocalAttentionArgs<Bf16>& args) {
  const auto kernel = HEED_DISPATCH(cpu::attend_locally_bf16);
  pool.run(args.sentences, [&](int64_t b) { kernel(args, b); });
}
void local_attention_gradient(ThreadPool& pool, const LocalAttentionGradientArgs<float>& args) {
  const auto kernel = HEED_DISPATCH(cpu::attend_locally_gradient_f32);
  pool.run(args.forward.sentences, [&](int64_t b) { kernel(args, b); });
}
void local_attention_gradient(ThreadPool& pool, const LocalAttentionGradientArgs<Bf16>& args) {
  const auto kernel = HEED_DISPATCH(cpu::attend_locally_gradient_bf16);
  pool.run(args.forward.sentences, [&](int64_t b) { kernel(args, b); });
}

}  // namespace heed::kernels
#endif  // HWY_ONCE
