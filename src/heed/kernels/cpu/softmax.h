// The vector loops of the output layer, one row of a slice of the vocabulary at a time. What a row gives
// depends on its numbers and their count alone.
#pragma once

#include <cstdint>

namespace heed::kernels::cpu {

// Of logits l: with shift, a finite number that no l exceeds, sum = sum of exp(l - shift). NaN among the
// logits makes sum NaN.
struct RowStatistics {
  float shift = 0, sum = 0;
  float total = 0;  // sum of l
};
// Memory of up to 16 floats past the row's end is read, but what it holds does not matter.
RowStatistics softmax_statistics(const float* logits, int64_t width);
// Leaves exp(l - shift) in place of the logits.
RowStatistics softmax_exponentials(float* logits, int64_t width);

// row = row * factor - minus; sums, unless null, += row.
void scale_row(float* row, int64_t width, float factor, float minus, float* sums);

// The index of the first element at or after `begin` that exceeds the threshold, or width.
int64_t find_above(const float* row, int64_t begin, int64_t width, float threshold);

}  // namespace heed::kernels::cpu
