// Working memory of one thread, kept from call to call: in a steady state nothing is allocated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace heed::kernels::cpu {

inline constexpr std::align_val_t kCacheLine{64};

struct FreeAligned {
  void operator()(std::byte* p) const { ::operator delete(p, kCacheLine); }
};

inline std::unique_ptr<std::byte, FreeAligned> allocate_aligned(int64_t bytes) {
  return std::unique_ptr<std::byte, FreeAligned>(
      static_cast<std::byte*>(::operator new(static_cast<size_t>(bytes), kCacheLine)));
}

// At least `size` elements at a cache line. What an earlier call with the same Use returned is then invalid:
// each user has its own Use, an empty type.
template <class Use, class T>
T* scratch(int64_t size) {
  thread_local std::unique_ptr<std::byte, FreeAligned> data;
  thread_local int64_t capacity = 0;
  const int64_t bytes = size * static_cast<int64_t>(sizeof(T));
  if (bytes > capacity) {
    data.reset();
    capacity = 0;
    data = allocate_aligned(bytes);
    capacity = bytes;
  }
  return reinterpret_cast<T*>(data.get());
}

}  // namespace heed::kernels::cpu
