// Values for tests: functions of a seed.
#pragma once

#include <cstdint>
#include <vector>

#include "heed/base/random.h"

namespace heed::test {

// Standard normal numbers as T; the same seed gives the same values in every T (up to rounding).
template <class T>
std::vector<T> normal_values(int64_t size, uint64_t seed, double spread = 1.0) {
  std::vector<T> values(size);
  for (int64_t i = 0; i < size; ++i)
    values[i] = static_cast<T>(static_cast<float>(spread * normal(mix64(seed), static_cast<uint64_t>(i))));
  return values;
}

}  // namespace heed::test
