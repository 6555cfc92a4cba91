#include "heed/models/scheduled_sampling.h"

#include <algorithm>
#include <cmath>

#include "heed/base/random.h"
#include "heed/ops/output.h"
#include "heed/ops/rows.h"

namespace heed {
namespace {

// Distributions are made for so many rows at a time: [rows, V] f32 is all that is held.
constexpr size_t kRowsAtATime = 64;

// The word at which the probabilities, added up in their order, pass `number` in [0, 1).
int32_t drawn(const float* log_probs, int64_t words, double number) {
  double rest = number;
  for (int64_t word = 0; word < words; ++word) {
    rest -= std::exp(static_cast<double>(log_probs[word]));
    if (rest < 0.0) return static_cast<int32_t>(word);
  }
  // Rounding left a little over.
  return static_cast<int32_t>(std::max_element(log_probs, log_probs + words) - log_probs);
}

}  // namespace

bool InputChoice::is_predicted(int32_t row) const {
  const auto at = static_cast<size_t>(row);
  if (target_.positions()[at] == 0) return false;
  return uniform(mix64(key_, target_.row_keys()[at]), 0) >= options_.teacher_forcing;
}

std::vector<int32_t> InputChoice::predict(Context& c, const Tensor& states, std::span<const int32_t> rows,
                                          const Parameter& weight, const Parameter* bias) const {
  require(static_cast<int64_t>(rows.size()) == states.rows(), "scheduled sampling: {} states for {} rows",
          states.rows(), rows.size());
  if (rows.empty()) return {};
  if (!options_.sample) return output_top_k(c, states, weight, bias, 1).ids;
  std::vector<int32_t> words;
  for (size_t begin = 0; begin < rows.size(); begin += kRowsAtATime) {
    const size_t end = std::min(begin + kRowsAtATime, rows.size());
    const Tensor some = states.row_range(static_cast<int64_t>(begin), static_cast<int64_t>(end));
    const Tensor log_probs = output_log_probs(c, some, weight, bias);
    for (size_t i = begin; i < end; ++i) {
      const uint64_t row_key = target_.row_keys()[static_cast<size_t>(rows[i])];
      words.push_back(drawn(log_probs.row<float>(static_cast<int64_t>(i - begin)), log_probs.width(),
                            uniform(mix64(key_, row_key), 1)));
    }
  }
  return words;
}

}  // namespace heed
