// The type in which sums, statistics and parameters are held beside activations of type T: float, but double
// beside double, so that the reference kernels can be held against finite differences.
#pragma once

#include <type_traits>

namespace heed::kernels {

template <class T>
using Real = std::conditional_t<std::is_same_v<T, double>, double, float>;

}  // namespace heed::kernels
