#include "heed/kernels/attention.h"

#include "heed/kernels/reference/attention.h"

namespace heed::kernels {

void attention_weights(ThreadPool& pool, const AttentionWeightsArgs<float>& args) {
  pool.run(args.sentences, [&](int64_t b) { reference::attention_weights(args, b); });
}
void attention_weights(ThreadPool& pool, const AttentionWeightsArgs<Bf16>& args) {
  pool.run(args.sentences, [&](int64_t b) { reference::attention_weights(args, b); });
}

}  // namespace heed::kernels
