// The random key of a name or a line of text.
#pragma once

#include <string_view>

#include "heed/base/random.h"

namespace heed {

// Folds the text's bytes into a key.
constexpr uint64_t key_of_text(std::string_view text, uint64_t key = 0) {
  for (const char byte : text) key = mix64(key, static_cast<uint64_t>(static_cast<unsigned char>(byte)));
  return key;
}

}  // namespace heed
