// What the attention ops with weights in memory share.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "heed/tensor/layout.h"
#include "heed/tensor/tensor.h"

namespace heed {

// The f32 weights of a batch, cut into a tensor [1, T, S] on the heap for each sentence, whose own stand from
// begin[b] on, row by row.
std::vector<Tensor> cut_into_sentences(const Tensor& weights, std::span<const int64_t> begin,
                                       const Layout& query_layout, const Layout& key_layout);

// Writes the sum of the rows, in their order, into `sum`, which has as many numbers as a row; both f32.
void sum_rows_into(const Tensor& rows, const Tensor& sum);

}  // namespace heed
