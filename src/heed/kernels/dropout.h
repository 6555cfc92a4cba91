// Dropout without a stored mask: whether an element stays is a function of its counter.
#pragma once

#include <cmath>
#include <cstdint>

#include "heed/base/random.h"

namespace heed::kernels {

// probability 0: nothing is dropped. key: of (seed, update, site in the model).
struct Dropout {
  float probability = 0.0f;
  uint64_t key = 0;

  // Elements whose 16 random bits are below it are dropped; the others are scaled by scale().
  uint32_t threshold() const { return static_cast<uint32_t>(std::lround(probability * 65536.0f)); }
  float scale() const { return 65536.0f / static_cast<float>(65536 - threshold()); }
};

// The 16 random bits of (site, row, column). Two columns share one 32-bit hash; the row's part is two 32-bit
// words, so that a kernel computes it once a row and the rest eight lanes at a time.
struct DropoutRow {
  uint32_t a, b;
  DropoutRow(uint64_t site_key, uint64_t row_key) {
    const uint64_t mixed = mix64(site_key ^ row_key);
    a = static_cast<uint32_t>(mixed);
    b = static_cast<uint32_t>(mixed >> 32) | 1u;
  }
  uint32_t bits(uint32_t column) const {
    uint32_t h = ((column >> 1) * 0x9E3779B1u) ^ a;
    h = (h ^ (h >> 16)) * 0x85EBCA6Bu;
    h = (h ^ (h >> 13)) * b;
    h ^= h >> 16;
    return (column & 1) != 0 ? h >> 16 : h & 0xFFFFu;
  }
};

}  // namespace heed::kernels
