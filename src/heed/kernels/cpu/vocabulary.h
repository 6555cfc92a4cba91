// How the output layer is cut: blocks of rows, whose logits stay in cache, by slices of the vocabulary, which
// are the pieces that threads take. Slices follow from V alone, so that sums over words do too.
#pragma once

#include <algorithm>
#include <cstdint>

namespace heed::kernels::cpu {

struct VocabularyCut {
  static constexpr int64_t kBlockRows = 256;

  VocabularyCut(int64_t rows, int64_t words)
      : slice_width(std::max<int64_t>(256, (words / 32 + 63) / 64 * 64)),
        slices((words + slice_width - 1) / slice_width),
        blocks((rows + kBlockRows - 1) / kBlockRows) {}

  int64_t slice_width, slices, blocks;
};

}  // namespace heed::kernels::cpu
