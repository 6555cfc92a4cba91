// Asking for memory that the processor would not foresee.
#pragma once

#include <cstddef>
#include <cstdint>

namespace heed::kernels::cpu {

// Every cache line that holds part of the row's `size` >= 1 elements.
template <class T>
inline void prefetch_row(const T* row, int64_t size) {
  constexpr int64_t kLine = 64;  // bytes
  const auto* const begin = reinterpret_cast<const std::byte*>(row);
  const auto* const last = reinterpret_cast<const std::byte*>(row + size) - 1;
  for (const std::byte* at = begin; at < last; at += kLine) __builtin_prefetch(at);
  __builtin_prefetch(last);
}

}  // namespace heed::kernels::cpu
