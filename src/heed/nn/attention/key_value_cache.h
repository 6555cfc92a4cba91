// What decoding remembers: keys and values of positions already decoded, and of the source.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "heed/tensor/tensor.h"

namespace heed {

// Rows of keys and values side by side, [rows, 2D] or as their owner cuts them, that only grow. Which rows a
// hypothesis sees is the decoder's list: reordering hypotheses moves no keys.
class KeyValueCache {
 public:
  // Appends rows [R, 2D] (a view will do) and returns the index of the first.
  int64_t append(const Tensor& keys_values);
  // Keeps these rows only, in this order.
  void keep_rows(std::span<const int32_t> rows);

  int64_t rows() const { return rows_; }
  Tensor stored() const { return storage_.row_range(0, rows_); }
  Tensor keys() const { return storage_.row_range(0, rows_).columns(0, storage_.width() / 2); }
  Tensor values() const {
    return storage_.row_range(0, rows_).columns(storage_.width() / 2, storage_.width());
  }

 private:
  Tensor storage_;  // [capacity, 2D] on the heap
  int64_t rows_ = 0;
};

// For one decoding step: query r sees `rows[offsets[r]] .. rows[offsets[r + 1]]` of a cache.
struct StepHistory {
  std::vector<int32_t> offsets;  // [queries + 1]
  std::vector<int32_t> rows;
};

// The same for the source: query r sees the rows first[r] .. first[r] + offsets[r + 1] - offsets[r].
struct StepMemory {
  std::vector<int32_t> offsets;  // [queries + 1]
  std::vector<int32_t> first;    // [queries]
};

}  // namespace heed
