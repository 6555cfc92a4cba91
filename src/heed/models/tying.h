// Which weights a model shares.
#pragma once

#include <cstdint>

#include "heed/base/error.h"

namespace heed {

// Which of source embedding, target embedding and output are one weight (Press & Wolf 2017).
enum class Tying { all, target, none };

// Throws InputError where one weight would have to embed vocabularies of different sizes.
inline void require_one_vocabulary(Tying tying, int64_t source_words, int64_t target_words) {
  if (tying != Tying::all || source_words == target_words) return;
  fail_input(
      "model.tying: all needs one vocabulary for both sides, but the source has {} words and the target {}; "
      "set "
      "text.shared: true, or model.tying: target",
      source_words, target_words);
}

}  // namespace heed
