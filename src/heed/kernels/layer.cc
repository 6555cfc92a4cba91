#include "heed/kernels/layer.h"

#include "heed/kernels/reference/layer.h"

namespace heed::kernels {

void residual_norm(ThreadPool&, const ResidualNormArgs<float>& args) {
  reference::residual_norm(args);
}
void residual_norm(ThreadPool&, const ResidualNormArgs<Bf16>& args) {
  reference::residual_norm(args);
}
void residual_norm_gradient(ThreadPool&, const ResidualNormGradientArgs<float>& args) {
  reference::residual_norm_gradient(args);
}
void residual_norm_gradient(ThreadPool&, const ResidualNormGradientArgs<Bf16>& args) {
  reference::residual_norm_gradient(args);
}
void embedding(ThreadPool&, const EmbeddingArgs<float>& args) {
  reference::embedding(args);
}
void embedding(ThreadPool&, const EmbeddingArgs<Bf16>& args) {
  reference::embedding(args);
}
void embedding_gradient(ThreadPool&, const EmbeddingGradientArgs<float>& args) {
  reference::embedding_gradient(args);
}
void embedding_gradient(ThreadPool&, const EmbeddingGradientArgs<Bf16>& args) {
  reference::embedding_gradient(args);
}
void activate(ThreadPool&, const ActivationArgs<float>& args) {
  reference::activate(args);
}
void activate(ThreadPool&, const ActivationArgs<Bf16>& args) {
  reference::activate(args);
}
void activate_gradient(ThreadPool&, const ActivationGradientArgs<float>& args) {
  reference::activate_gradient(args);
}
void activate_gradient(ThreadPool&, const ActivationGradientArgs<Bf16>& args) {
  reference::activate_gradient(args);
}
void add_to(ThreadPool&, int64_t size, const float* x, float* y) {
  reference::add_to(size, x, y);
}
void add_to(ThreadPool&, int64_t size, const Bf16* x, Bf16* y) {
  reference::add_to(size, x, y);
}

}  // namespace heed::kernels
