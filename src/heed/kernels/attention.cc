#include "heed/kernels/attention.h"

#include "heed/kernels/reference/attention.h"

namespace heed::kernels {

void attention(ThreadPool&, const AttentionArgs<float>& args) {
  reference::attention(args);
}
void attention(ThreadPool&, const AttentionArgs<Bf16>& args) {
  reference::attention(args);
}
void attention_gradient(ThreadPool&, const AttentionGradientArgs<float>& args) {
  reference::attention_gradient(args);
}
void attention_gradient(ThreadPool&, const AttentionGradientArgs<Bf16>& args) {
  reference::attention_gradient(args);
}
void attention_step(ThreadPool&, const AttentionStepArgs<float>& args) {
  reference::attention_step(args);
}
void attention_step(ThreadPool&, const AttentionStepArgs<Bf16>& args) {
  reference::attention_step(args);
}

}  // namespace heed::kernels
