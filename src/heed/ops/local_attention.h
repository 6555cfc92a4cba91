// Attention to a window of the source (Luong et al. 2015, section 3.2): kernels/local_attention.h has the
// equations. Letters: R_q query rows, R_k key rows, A width of queries and keys, M width of the values. Every
// op here throws Error on shapes, layouts and positions that do not fit together, and on a reach below 1.
#pragma once

#include <span>
#include <vector>

#include "heed/autograd/parameter.h"
#include "heed/ops/attention.h"

namespace heed {

struct LocalAttentionOptions {
  int64_t reach = 10;                // D: keys up to so far from the window's centre
  const Parameter* score = nullptr;  // [1, A] v of additive scores, v . tanh(q + k); null: dot products,
  bool scaled = false;               // divided by sqrt(A)
};

// queries [R_q, A], keys [R_k, A], values [R_k, M] -> [R_q, M]. places [R_q, 1]: z of local-p, by which a
// query's window's centre is predicted; none: local-m, around the query's position.
Var local_attention(Context& c, const Var& queries, const Layout& query_layout, const Var& places,
                    const Var& keys, const Var& values, const Layout& key_layout,
                    const LocalAttentionOptions& options);

// For newly decoded positions, over cache rows: query r stands at positions[r] and sees consecutive rows from
// spans.first[r] on. Leaves no gradient. -> [N, M]
Var local_attention_step(Context& c, const Tensor& queries, std::span<const int32_t> positions,
                         const Tensor& places, const Tensor& keys, const Tensor& values,
                         const AttentionSpans& spans, const LocalAttentionOptions& options);

// The weights themselves, for pictures: for each sentence a tensor [1, T, S] f32 on the heap.
std::vector<Tensor> local_attention_weights(Context& c, const Tensor& queries, const Layout& query_layout,
                                            const Tensor& places, const Tensor& keys,
                                            const Layout& key_layout, const LocalAttentionOptions& options);

}  // namespace heed
