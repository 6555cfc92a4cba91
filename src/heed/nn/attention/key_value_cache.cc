#include "heed/nn/attention/key_value_cache.h"

#include <algorithm>
#include <cstring>

namespace heed {
namespace {

void copy_row(const Tensor& from, int64_t from_row, Tensor& to, int64_t to_row) {
  dispatch(from.dtype(), [&](auto zero) {
    using T = decltype(zero);
    std::memcpy(to.row<T>(to_row), from.row<T>(from_row), static_cast<size_t>(from.width()) * sizeof(T));
  });
}

}  // namespace

int64_t KeyValueCache::append(const Tensor& keys_values) {
  const int64_t first = rows_, needed = rows_ + keys_values.rows();
  if (!storage_ || needed > storage_.rows()) {
    Tensor larger =
        Tensor::empty({std::max<int64_t>({needed, 2 * rows_, 64}), keys_values.width()}, keys_values.dtype());
    for (int64_t r = 0; r < rows_; ++r) copy_row(storage_, r, larger, r);
    storage_ = larger;
  }
  for (int64_t r = 0; r < keys_values.rows(); ++r) copy_row(keys_values, r, storage_, first + r);
  rows_ = needed;
  return first;
}

void KeyValueCache::keep_rows(std::span<const int32_t> rows) {
  if (!storage_) return;
  Tensor kept = Tensor::empty({std::max<int64_t>(static_cast<int64_t>(rows.size()), 64), storage_.width()},
                              storage_.dtype());
  for (size_t i = 0; i < rows.size(); ++i) copy_row(storage_, rows[i], kept, static_cast<int64_t>(i));
  storage_ = kept;
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
