#include "heed/kernels/additive_attention.h"

#include "heed/kernels/reference/additive_attention.h"

namespace heed::kernels {
namespace {

template <class T>
void forward(ThreadPool& pool, const AdditiveAttentionArgs<T>& args) {
  pool.run(args.sentences, [&](int64_t b) { reference::additive_attention(args, b); });
}

template <class T>
void backward(ThreadPool& pool, const AdditiveAttentionGradientArgs<T>& args) {
  pool.run(args.forward.sentences, [&](int64_t b) { reference::additive_attention_gradient(args, b); });
}

}  // namespace

void additive_attention(ThreadPool& pool, const AdditiveAttentionArgs<float>& args) {
  forward(pool, args);
}
void additive_attention(ThreadPool& pool, const AdditiveAttentionArgs<Bf16>& args) {
  forward(pool, args);
}
void additive_attention_gradient(ThreadPool& pool, const AdditiveAttentionGradientArgs<float>& args) {
  backward(pool, args);
}
void additive_attention_gradient(ThreadPool& pool, const AdditiveAttentionGradientArgs<Bf16>& args) {
  backward(pool, args);
}

}  // namespace heed::kernels
