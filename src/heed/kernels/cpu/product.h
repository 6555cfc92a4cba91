// The one-thread f32 product under every other: C = act(start + A B) over panels of B.
#pragma once

#include <cstdint>

#include "heed/kernels/cpu/panels.h"
#include "heed/tensor/dtype.h"

namespace heed::kernels::cpu {

// Each element of C is start, then a fused multiply-add for each k in ascending order (a multiplication and
// an addition where the processor has no fused one), whatever the shape: how the work is cut never shows.
struct Product {
  int64_t rows = 0, depth = 0, columns = 0;
  // A[i, k] is at a + i * a_row_stride + k * a_k_stride; one of the two strides must be 1.
  const float* a = nullptr;
  int64_t a_row_stride = 0, a_k_stride = 1;
  // Panel p is [depth][16] at b + p * b_panel_stride; what fills up the last one does not matter.
  const float* b = nullptr;
  int64_t b_panel_stride = 0;
  const float* bias = nullptr;  // start = bias, or 0 ...
  bool accumulate = false;      // ... plus what C holds
  bool relu = false;
  float* c = nullptr;  // rows c_stride apart
  int64_t c_stride = 0;
};
void multiply(const Product& product);

// Copies `rows` rows of `columns` numbers into panels [columns / 16][rows][16], zeros after the last column.
void pack_panels(const float* from, int64_t stride, int64_t rows, int64_t columns, float* to);
void pack_panels(const Bf16* from, int64_t stride, int64_t rows, int64_t columns, float* to);

// One panel [inner][16] whose columns are `width` rows of `inner` numbers, zeros after the last.
void pack_rows(const float* from, int64_t stride, int64_t inner, int64_t width, float* to);

// Copies rows, from one stride to another, converting.
void convert_rows(const Bf16* from, int64_t from_stride, int64_t rows, int64_t columns, float* to,
                  int64_t to_stride);
void convert_rows(const float* from, int64_t from_stride, int64_t rows, int64_t columns, Bf16* to,
                  int64_t to_stride);
void convert_rows(const float* from, int64_t from_stride, int64_t rows, int64_t columns, float* to,
                  int64_t to_stride);

// sums[c] += the rows of column c, in ascending order.
void add_rows(const float* from, int64_t stride, int64_t rows, int64_t columns, float* sums);
void add_rows(const Bf16* from, int64_t stride, int64_t rows, int64_t columns, float* sums);

// For benchmarks: runs `rounds` rounds of independent multiply-adds, returns how many those were.
int64_t peak_multiply_adds(int64_t rounds, float* sink);

}  // namespace heed::kernels::cpu
