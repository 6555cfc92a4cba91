#include "heed/kernels/cpu/scratch.h"

namespace heed::kernels::cpu {

std::byte* Scratch::at_least(int64_t bytes) {
  if (bytes > capacity_) {
    data_.reset();
    capacity_ = 0;
    data_.reset(static_cast<std::byte*>(::operator new(static_cast<size_t>(bytes), kAlignment)));
    capacity_ = bytes;
  }
  return data_.get();
}

}  // namespace heed::kernels::cpu
