// Dropout as a factor, one element at a time.
#pragma once

#include "heed/kernels/dropout.h"

namespace heed::kernels::reference {

// What dropout multiplies the elements of one row with.
class DropoutFactors {
 public:
  // row_keys may be null when nothing is dropped.
  DropoutFactors(const Dropout& dropout, const uint64_t* row_keys, int64_t row)
      : threshold_(dropout.threshold()),
        scale_(dropout.scale()),
        row_(dropout.key, row_keys == nullptr ? 0 : row_keys[row]) {}

  float operator()(int64_t column) const {
    if (threshold_ == 0) return 1.0f;
    return row_.bits(static_cast<uint32_t>(column)) < threshold_ ? 0.0f : scale_;
  }

 private:
  uint32_t threshold_;
  float scale_;
  DropoutRow row_;
};

}  // namespace heed::kernels::reference
