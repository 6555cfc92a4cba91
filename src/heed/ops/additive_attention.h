// Additive attention (Bahdanau et al. 2015, A.1.2): score(q, k) = v . tanh(q + k), queries and keys already
// projected. Letters: R_q query rows, R_k key rows, A width of the scores, M width of the values. Every op
// here throws Error on shapes and layouts that do not fit together.
#pragma once

#include <span>
#include <vector>

#include "heed/autograd/parameter.h"
#include "heed/ops/attention.h"

namespace heed {

// queries [R_q, A], keys [R_k, A], values [R_k, M], score (the vector v) [1, A] -> out [R_q, M], and with a
// guide the sums that guided attention adds to the loss.
GuidedAttention additive_attention(Context& c, const Var& queries, const Layout& query_layout,
                                   const Var& keys, const Var& values, const Layout& key_layout,
                                   const Parameter& score, const Guide& guide = {});

// queries [N, A]; keys, values: cache rows, may be views; query r sees consecutive rows from spans.first[r]
// on. Leaves no gradient. -> [N, M]
Var additive_attention_step(Context& c, const Tensor& queries, const Tensor& keys, const Tensor& values,
                            const AttentionSpans& spans, const Parameter& score);

// The weights themselves, for pictures: for each sentence a tensor [1, T, S] f32 on the heap.
std::vector<Tensor> additive_attention_weights(Context& c, const Tensor& queries, const Layout& query_layout,
                                               const Tensor& keys, const Layout& key_layout,
                                               const Parameter& score);

}  // namespace heed
