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

}  // namespace heed
