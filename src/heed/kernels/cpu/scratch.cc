#include "heed/kernels/cpu/scratch.h"

namespace heed::kernels::cpu {

std::byte* Scratch::at_least(int64_t bytes) {
  if (bytes > capacity_) {
    data_.reset();
    capacity_ = 0;
    data_ = allocate_aligned(bytes);
    capacity_ = bytes;
  }
  return data_.get();
}

}  // namespace heed::kernels::cpu
