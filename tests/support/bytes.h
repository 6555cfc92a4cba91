// Equality of bytes: NaN equals itself, 0 is not -0.
#pragma once

#include <algorithm>
#include <span>
#include <vector>

namespace heed::test {

template <class T>
bool same_bytes(const std::vector<T>& a, const std::vector<T>& b) {
  return std::ranges::equal(std::as_bytes(std::span(a)), std::as_bytes(std::span(b)));
}

template <class T>
bool starts_with_bytes(const std::vector<T>& longer, const std::vector<T>& shorter) {
  return shorter.size() <= longer.size() &&
         std::ranges::equal(std::as_bytes(std::span(longer).first(shorter.size())),
                            std::as_bytes(std::span(shorter)));
}

}  // namespace heed::test
