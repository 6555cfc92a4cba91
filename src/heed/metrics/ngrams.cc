#include "heed/metrics/ngrams.h"

namespace heed {

std::vector<uint32_t> NgramTable::count(const std::vector<uint32_t>& symbols, int max_order) {
  std::vector<uint32_t> counts(orders_.size());
  for (size_t begin = 0; begin < symbols.size(); ++begin) {
    uint64_t prefix = 0;
    for (int n = 1; n <= max_order && begin + n <= symbols.size(); ++n) {
      const uint64_t key = prefix << 32 | symbols[begin + n - 1];
      const auto [found, is_new] = numbers_.try_emplace(key, static_cast<uint32_t>(orders_.size()));
      if (is_new) {
        orders_.push_back(n);
        counts.push_back(0);
      }
      ++counts[found->second];
      prefix = found->second + 1;
    }
  }
  return counts;
}

std::vector<uint32_t> WordNumbers::of(const std::vector<std::u32string_view>& words) {
  std::vector<uint32_t> numbers;
  for (std::u32string_view word : words)
    numbers.push_back(numbers_.try_emplace(word, static_cast<uint32_t>(numbers_.size())).first->second);
  return numbers;
}

}  // namespace heed
