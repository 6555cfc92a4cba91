#include "heed/models/encoder_decoder.h"

namespace heed {

TokenField shifted_right(const TokenField& target) {
  TokenField shifted = target;
  for (int64_t sentence = 0; sentence < target.layout.sentences(); ++sentence) {
    int32_t previous = kBeginToken;
    for (int32_t row = target.layout.begin(sentence); row < target.layout.end(sentence); ++row) {
      shifted.ids[row] = std::exchange(previous, target.ids[row]);
    }
  }
  return shifted;
}

}  // namespace heed
