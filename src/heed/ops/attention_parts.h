// What the attention ops with weights in memory share.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "heed/autograd/parameter.h"
#include "heed/ops/attention.h"
#include "heed/tensor/layout.h"
#include "heed/tensor/tensor.h"

namespace heed {

// Which queries see which keys: those of a sentence all of its keys. And where each sentence's weights [its
// queries, its keys] stand among those of all.
struct AttentionPairs {
  std::vector<int32_t> query_offsets{0};    // [B+1]
  std::vector<int32_t> key_begin, key_end;  // [B]
  std::vector<int64_t> weight_begin{0};     // [B+1], the last is the number of weights

  // Sentence by sentence. Throws Error when the two sides have not as many sentences.
  AttentionPairs(const Layout& queries, const Layout& keys);
  // Decoding: a query a span, which must be of consecutive rows.
  explicit AttentionPairs(const AttentionSpans& spans);

  int64_t sentences() const { return static_cast<int64_t>(key_begin.size()); }
  int64_t queries() const { return query_offsets.back(); }
  int64_t weights() const { return weight_begin.back(); }

  // f32 weights, cut into a tensor [1, its queries, its keys] on the heap for each sentence.
  std::vector<Tensor> cut_into_sentences(const Tensor& weights) const;

 private:
  void add(int32_t query_end, int32_t first_key, int32_t last_key);
};

// Adds the sum of the rows, in their order, to the gradient of a parameter with as many numbers as a row:
// each row is a sentence's part of it, f32.
void add_row_sums(const Parameter& parameter, Context& c, const Tensor& rows);

}  // namespace heed
