// Counter-based random numbers: a number is a pure function of what it is for, never of when or on which
// thread it is drawn. Key: (seed, update, site in the model); counter: (sentence's number in the corpus,
// position, column). The mixing is SplitMix64's finaliser (Steele et al. 2014).
#pragma once

#include <cstdint>

namespace heed {

constexpr uint64_t mix64(uint64_t x) {
  x += 0x9E3779B97F4A7C15u;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9u;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBu;
  return x ^ (x >> 31);
}

// Folds one more number into a key; in another order the same numbers give another key.
constexpr uint64_t mix64(uint64_t key, uint64_t number) {
  return mix64(mix64(key) + number);
}

// A uniform number in [0, 1) with 53 bits.
constexpr double uniform(uint64_t key, uint64_t counter) {
  return static_cast<double>(mix64(key, counter) >> 11) * 0x1p-53;
}

// A standard normal number (Box and Muller 1958) out of two uniform ones.
double normal(uint64_t key, uint64_t counter);

// A uniform integer in [0, bound), bound > 0; the bias is under bound / 2^64.
__extension__ using Wide = unsigned __int128;
constexpr uint64_t uniform_below(uint64_t key, uint64_t counter, uint64_t bound) {
  return static_cast<uint64_t>((static_cast<Wide>(mix64(key, counter)) * bound) >> 64);
}

}  // namespace heed
