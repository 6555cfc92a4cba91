// Monotonic attention (Raffel et al. 2017): a query goes on from the key that the one before it chose, and
// never back. Letters: B sentences, R_q query rows, R_k key rows, Q width of queries and keys, M width of the
// values. Every op here throws Error on shapes and layouts that do not fit together.
#pragma once

#include <span>
#include <vector>

#include "heed/autograd/parameter.h"
#include "heed/ops/attention_parts.h"
#include "heed/tensor/layout.h"

namespace heed {

struct MonotonicOptions {
  const Parameter* offset = nullptr;  // r [1], added to every energy
  const Parameter* score = nullptr;   // v [1, Q] of additive energies, v . tanh(q + k); null: dot products,
  float scale = 1.0f;                 // times this
  float noise = 0.0f;  // while training: standard deviation of what is added to an energy before its
                       // sigmoid, so that energies grow large and choices sure (section 2.5)
  uint64_t site = 0;   // whose random numbers the noise takes
};

// The expectation over all monotonic alignments (eq. 14).
struct MonotonicExpectation {
  Var out;        // [R_q, M]
  Var alignment;  // [R_k, 1] f32: the probability that a sentence's last query attends to each of its keys
};
// queries [R_q, Q], keys [R_k, Q], values [R_k, M]. before [R_k, 1] f32: the alignment that the queries go on
// from; none: all on the first key.
MonotonicExpectation expected_monotonic_attention(Context& c, const Var& queries, const Layout& query_layout,
                                                  const Var& keys, const Var& values,
                                                  const Layout& key_layout, const Var& before,
                                                  const MonotonicOptions& options);

// A choice a query: its context, and its key in the sentence, -1 for none.
struct MonotonicChoice {
  Tensor out;                  // [R_q, M]
  std::vector<int32_t> found;  // [R_q]
};
// How decoding attends; leaves no gradient. queries [R_q, Q], keys and values [rows, Q] and [rows, M] of
// which `pairs` tells which are seen; attended [B] is the key that each sentence goes on from, and moves.
MonotonicChoice hard_monotonic_attention(Context& c, const Tensor& queries, const Tensor& keys,
                                         const Tensor& values, const AttentionPairs& pairs,
                                         std::span<int32_t> attended, const MonotonicOptions& options);

}  // namespace heed
