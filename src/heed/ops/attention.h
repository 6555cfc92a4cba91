// Scaled dot-product attention (Vaswani et al. 2017, section 3.2), all heads at once, over ragged rows:
//   head_h = softmax(Q_h K_h^T / sqrt(d)) V_h  (eq. 1), the heads side by side, each d wide.
// Letters: R_q query rows, R_k key rows, D = heads x head width. Every op here throws Error on shapes,
// heads and layouts that do not fit together.
#pragma once

#include <span>
#include <vector>

#include "heed/autograd/tape.h"
#include "heed/ops/dropout.h"
#include "heed/ops/guide.h"
#include "heed/tensor/layout.h"

namespace heed {

struct AttentionOptions {
  int64_t heads = 1;
  bool causal = false;  // position t sees 0..t only
  bool scaled = true;   // scores divided by sqrt(head width)
  DropoutSite dropout;  // of the weights
};

// projected [R, 3D]: queries, keys and values side by side. -> [R, D]
Var self_attention(Context& c, const Var& projected, const Layout& layout, const AttentionOptions& options);

// queries [R_q, D]; memory [R_k, 2D]: keys and values side by side. -> out [R_q, D], and with a guide the
// sums that guided attention adds to the loss, of the weights before dropout.
GuidedAttention cross_attention(Context& c, const Var& queries, const Layout& query_layout, const Var& memory,
                                const Layout& memory_layout, const AttentionOptions& options,
                                const Guide& guide = {});

// The same with keys and values [R_k, D] of their own, which may be the same rows.
GuidedAttention cross_attention(Context& c, const Var& queries, const Layout& query_layout, const Var& keys,
                                const Var& values, const Layout& key_layout, const AttentionOptions& options,
                                const Guide& guide = {});

// What newly decoded positions see of a cache: query r the rows rows[offsets[r]] .. rows[offsets[r + 1]], or,
// when `rows` is empty, the consecutive rows from first[r] on.
struct AttentionSpans {
  std::span<const int32_t> offsets;  // [N + 1]
  std::span<const int32_t> rows;
  std::span<const int32_t> first;  // [N]
};
// queries [N, D]; keys, values [cache rows, D], all may be views. Leaves no gradient. -> [N, D]
// Throws Error when widths, heads or the number of spans do not fit; what the spans name is not checked.
Var attention_step(Context& c, const Tensor& queries, const Tensor& keys, const Tensor& values,
                   const AttentionSpans& spans, const AttentionOptions& options);

// The weights themselves, for pictures: for each sentence a tensor [heads, T, S] f32 on the heap.
// queries [R_q, D] and keys [R_k, D] may be views.
std::vector<Tensor> attention_weights(Context& c, const Tensor& queries, const Layout& query_layout,
                                      const Tensor& keys, const Layout& key_layout,
                                      const AttentionOptions& options);

}  // namespace heed
