// What a model makes of translations that are given (forced decoding).
#pragma once

#include <cstdint>
#include <vector>

#include "heed/models/encoder_decoder.h"

namespace heed {

struct ScoredTarget {
  double log_prob = 0.0;               // the sum of
  std::vector<float> token_log_probs;  // of every token, </s> included
};

// Of each pair of token ids, both with </s> at their end: the same whatever stands beside it. All are one
// batch. Throws Error where there are not as many targets as sources, InputError on an id that is no word,
// more tokens than the model has positions, and NaN.
std::vector<ScoredTarget> score_targets(Context& c, const EncoderDecoder& model,
                                        const std::vector<std::vector<int32_t>>& sources,
                                        const std::vector<std::vector<int32_t>>& targets);

}  // namespace heed
