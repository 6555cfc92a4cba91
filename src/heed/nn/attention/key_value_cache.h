// What decoding remembers: keys and values of positions already decoded, and of the source.
#pragma once

#include <cstdint>
#include <functional>
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

// Consecutive rows of a cache that a hypothesis sees.
struct SeenRows {
  int32_t* first;  // where the hypothesis keeps the number of the first one
  int32_t length;
};

// Forgets rows that nobody sees any more: without it what a search drops, or a server's finished sentences,
// would stay.
class CacheCompaction {
 public:
  // For caches, one a layer, whose rows are numbered alike. Once they have doubled since this last did
  // something, which keeps the cost of a row constant, `seen` is asked for all rows that any hypothesis sees;
  // the caches keep only those, and the hypotheses' numbers become the new ones.
  void operator()(std::span<KeyValueCache> caches, const std::function<std::vector<SeenRows>()>& seen);

 private:
  int64_t kept_ = 0;  // rows that the last time left
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
