// A window has some twenty keys, a thousandth of a step's work: the plain loops, a sentence a piece.
#include "heed/kernels/local_attention.h"

#include "heed/kernels/reference/local_attention.h"

namespace heed::kernels {
namespace {

template <class T>
void attend(ThreadPool& pool, const LocalAttentionArgs<T>& args) {
  pool.run(args.sentences, [&](int64_t b) { reference::local_attention(args, b); });
}

template <class T>
void attend_gradient(ThreadPool& pool, const LocalAttentionGradientArgs<T>& args) {
  pool.run(args.forward.sentences, [&](int64_t b) { reference::local_attention_gradient(args, b); });
}

}  // namespace

void local_attention(ThreadPool& pool, const LocalAttentionArgs<float>& args) {
  attend(pool, args);
}
void local_attention(ThreadPool& pool, const LocalAttentionArgs<Bf16>& args) {
  attend(pool, args);
}
void local_attention_gradient(ThreadPool& pool, const LocalAttentionGradientArgs<float>& args) {
  attend_gradient(pool, args);
}
void local_attention_gradient(ThreadPool& pool, const LocalAttentionGradientArgs<Bf16>& args) {
  attend_gradient(pool, args);
}

}  // namespace heed::kernels
