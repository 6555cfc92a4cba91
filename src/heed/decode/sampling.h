// Drawing one token from a distribution.
#pragma once

#include <cstdint>
#include <span>

namespace heed {

// log_probs [V], not necessarily normalised. Divided by the temperature, cut to the top_k best (0: all) and
// then to the fewest best tokens whose probabilities reach top_p (Holtzman et al. 2020); `number` in [0, 1)
// decides.
int32_t sample_token(std::span<const float> log_probs, double temperature, int64_t top_k, double top_p,
                     double number);

}  // namespace heed
