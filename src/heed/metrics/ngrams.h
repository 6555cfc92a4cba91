// Counts of n-grams. An n-gram's number is found by its prefix's number and its last symbol, so that numbers
// never collide and no n-gram is stored as text.
#pragma once

#include <cstdint>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace heed {

class NgramTable {
 public:
  // How often each n-gram of 1 to max_order symbols occurs, by its number. Counts of later sequences may be
  // longer.
  std::vector<uint32_t> count(const std::vector<uint32_t>& symbols, int max_order);
  int order(size_t ngram) const { return orders_[ngram]; }

 private:
  std::unordered_map<uint64_t, uint32_t> numbers_;  // (prefix's number + 1, 0 for none; symbol)
  std::vector<int> orders_;
};

// Numbers for words. Keeps views: the text must outlive it.
class WordNumbers {
 public:
  std::vector<uint32_t> of(const std::vector<std::u32string_view>& words);

 private:
  std::unordered_map<std::u32string_view, uint32_t> numbers_;
};

}  // namespace heed
