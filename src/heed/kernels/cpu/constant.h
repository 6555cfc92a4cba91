// A number that a kernel's registers depend on, known when it is compiled.
#pragma once

#include <cstdint>
#include <utility>

namespace heed::kernels::cpu {

// Calls f.operator()<n>() for an n of 1 to kMost.
template <int kMost, class F>
void with_constant(int64_t n, F&& f) {
  [&]<int... kCases>(std::integer_sequence<int, kCases...>) {
    (void)((n == kCases + 1 && (f.template operator()<kCases + 1>(), true)) || ...);
  }
  (std::make_integer_sequence<int, kMost>());
}

}  // namespace heed::kernels::cpu
