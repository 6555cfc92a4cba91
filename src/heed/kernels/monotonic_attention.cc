#include "heed/kernels/monotonic_attention.h"

#include "heed/kernels/reference/monotonic_attention.h"

namespace heed::kernels {

void expected_monotonic_attention(ThreadPool& pool, const MonotonicAttentionArgs<float>& args) {
  pool.run(args.sentences, [&](int64_t b) { reference::expected_monotonic_attention(args, b); });
}
void expected_monotonic_attention(ThreadPool& pool, const MonotonicAttentionArgs<Bf16>& args) {
  pool.run(args.sentences, [&](int64_t b) { reference::expected_monotonic_attention(args, b); });
}
void hard_monotonic_attention(ThreadPool& pool, const MonotonicAttentionArgs<float>& args) {
  pool.run(args.sentences, [&](int64_t b) { reference::hard_monotonic_attention(args, b); });
}
void hard_monotonic_attention(ThreadPool& pool, const MonotonicAttentionArgs<Bf16>& args) {
  pool.run(args.sentences, [&](int64_t b) { reference::hard_monotonic_attention(args, b); });
}
void monotonic_attention_gradient(ThreadPool& pool, const MonotonicAttentionGradientArgs<float>& args) {
  pool.run(args.forward.sentences, [&](int64_t b) { reference::monotonic_attention_gradient(args, b); });
}
void monotonic_attention_gradient(ThreadPool& pool, const MonotonicAttentionGradientArgs<Bf16>& args) {
  pool.run(args.forward.sentences, [&](int64_t b) { reference::monotonic_attention_gradient(args, b); });
}

}  // namespace heed::kernels
