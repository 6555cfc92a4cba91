// The vector loops of the output layer, one row of a slice of the vocabulary at a time. What a row gives
// depends on its numbers and their count alone.
#pragma once

#include <cstdint>

#include "heed/tensor/dtype.h"

namespace heed::kernels::cpu {

// Of logits l: with shift, a finite number that no l exceeds, sum = sum of exp(l - shift). NaN among the
// logits makes sum NaN.
struct RowStatistics {
  float shift = 0, sum = 0;
};
// Memory of up to 16 floats past the row's end is read, but what it holds does not matter.
RowStatistics softmax_statistics(const float* logits, int64_t width);
// Of logits l: sums of exp(l - shift) and of l. Writes e = exp(l - shift) as well unless e is null; what is
// past the row's end may be written too, up to a multiple of 16.
struct SliceSums {
  float e = 0, logits = 0;
};
SliceSums softmax_exponentials(const float* logits, int64_t width, float shift, float* e);
SliceSums softmax_exponentials(const float* logits, int64_t width, float shift, Bf16* e);

// sums += factor * row
void add_scaled(const float* row, int64_t width, float factor, float* sums);
void add_scaled(const Bf16* row, int64_t width, float factor, float* sums);

// row -= minus
void subtract(float* row, int64_t width, float minus);

// The index of the first element at or after `begin` that exceeds the threshold, or width.
int64_t find_above(const float* row, int64_t begin, int64_t width, float threshold);

}  // namespace heed::kernels::cpu
