// Monotonic attention (Raffel et al. 2017): a query goes on from the key that the one before it chose, and
// never back. Letters: B sentences, R_q query rows, R_k key rows, Q width of queries and keys, M width of the
// values.
#pragma once

#include <span>
#include <vector>

#include "heed/autograd/parameter.h"
#include "heed/tensor/layout.h"

namespace heed {

struct MonotonicOptions {
  const Parameter* offset = nullptr;  // r [1], added to every energy
  float scale = 1.0f;                 // of the dot products
  float noise = 0.0f;  // while training: standard deviation of what is added to an energy before its
                       // sigmoid, so that energies grow large and choices sure (section 2.5)
  uint64_t site = 0;   // whose random numbers the noise takes
};

// queries [R_q, Q], keys [R_k, Q], values [R_k, M] -> the expectation [R_q, M] over all monotonic alignments
// (eq. 11).
Var expected_monotonic_attention(Context& c, const Var& queries, const Layout& query_layout, const Var& keys,
                                 const Var& values, const Layout& key_layout,
                                 const MonotonicOptions& options);

// A choice a query: its context, and its key in the sentence, -1 for none.
struct MonotonicChoice {
  Tensor out;                  // [R_q, M]
  std::vector<int32_t> found;  // [R_q]
};
// How decoding attends; leaves no gradient. queries [R_q, Q] of sentences whose keys and values are the rows
// first[b] .. first[b] + lengths[b]; attended[b] is the key that a sentence goes on from, and moves.
struct MonotonicSpans {
  std::span<const int32_t> first, lengths;  // [B]
  std::span<int32_t> attended;              // [B]
};
MonotonicChoice hard_monotonic_attention(Context& c, const Tensor& queries, const Layout& query_layout,
                                         const Tensor& keys, const Tensor& values,
                                         const MonotonicSpans& spans, const MonotonicOptions& options);

}  // namespace heed
