// Tercom's greedy search: the shift of words that saves the most edits, again and again.
#pragma once

#include <cstdint>
#include <vector>

namespace heed {

// Shifts made plus the edits (insertions, deletions, substitutions) that are left after them. Words are
// numbers.
int64_t shifted_edits(std::vector<uint32_t> hypothesis, const std::vector<uint32_t>& reference);

}  // namespace heed
