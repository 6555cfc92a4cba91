#include "heed/nn/attention/key_value_cache.h"

#include <algorithm>

namespace heed {

int64_t KeyValueCache::append(const Tensor& keys_values) {
  const int64_t first = rows_, needed = rows_ + keys_values.rows();
  if (!storage_ || needed > storage_.rows()) {
    const Tensor larger =
        Tensor::empty({std::max<int64_t>({needed, 2 * rows_, 64}), keys_values.width()}, keys_values.dtype());
    if (storage_) copy_rows(storage_, 0, larger, 0, rows_);
    storage_ = larger;
  }
  copy_rows(keys_values, 0, storage_, first, keys_values.rows());
  rows_ = needed;
  return first;
}

void KeyValueCache::keep_rows(std::span<const int32_t> rows) {
  if (!storage_) return;
  storage_ = storage_.keep_rows(rows);
  rows_ = static_cast<int64_t>(rows.size());
}

void CacheCompaction::operator()(std::span<KeyValueCache> caches,
                                 const std::function<std::vector<SeenRows>()>& seen) {
  constexpr int64_t kWorthIt = 4096;
  const int64_t rows = caches.front().rows();
  if (rows < std::max(kWorthIt, 2 * kept_)) return;
  const std::vector<SeenRows> runs = seen();
  std::vector<int32_t> new_row(static_cast<size_t>(rows), -1), kept;
  for (const SeenRows& run : runs)
    if (run.length > 0) std::fill_n(new_row.begin() + *run.first, run.length, 0);
  for (int32_t row = 0; row < rows; ++row) {
    int32_t& renamed = new_row[static_cast<size_t>(row)];
    if (renamed < 0) continue;
    renamed = static_cast<int32_t>(kept.size());
    kept.push_back(row);
  }
  for (KeyValueCache& cache : caches) cache.keep_rows(kept);
  kept_ = static_cast<int64_t>(kept.size());
  // Kept rows stay in order, so that a run has no gaps afterwards either.
  for (const SeenRows& run : runs)
    if (run.length > 0) *run.first = new_row[static_cast<size_t>(*run.first)];
}

}  // namespace heed
