// Working memory of one thread, kept from call to call: in a steady state nothing is allocated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>

namespace heed::kernels::cpu {

// Memory that grows to what is asked of it.
class Scratch {
 public:
  static constexpr std::align_val_t kAlignment{64};  // a cache line

  // At least so many bytes at a cache line; what an earlier call returned is then invalid.
  std::byte* at_least(int64_t bytes);

 private:
  struct Free {
    void operator()(std::byte* p) const { ::operator delete(p, kAlignment); }
  };

  std::unique_ptr<std::byte, Free> data_;
  int64_t capacity_ = 0;
};

// At least `size` elements at a cache line. What an earlier call with the same Use returned is then invalid:
// each user has its own Use, an empty type.
template <class Use, class T>
T* scratch(int64_t size) {
  thread_local Scratch memory;
  return reinterpret_cast<T*>(memory.at_least(size * static_cast<int64_t>(sizeof(T))));
}

}  // namespace heed::kernels::cpu
