// What the output layer's kernels share: the vocabulary in slices, and the logits of one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "heed/kernels/cpu/product.h"
#include "heed/kernels/cpu/scratch.h"
#include "heed/kernels/cpu/tiles.h"
#include "heed/kernels/matmul.h"

namespace heed::kernels::cpu {

// The slices of the vocabulary that threads take. They follow from V alone, so that sums over words do too.
struct VocabularyCut {
  explicit VocabularyCut(int64_t words)
      : words(words),
        slice_width(std::max<int64_t>(256, (words / 32 + 63) / 64 * 64)),
        slices((words + slice_width - 1) / slice_width) {}

  int64_t first_word(int64_t slice) const { return slice * slice_width; }
  int64_t width(int64_t slice) const { return std::min(slice_width, words - first_word(slice)); }
  bool holds(int64_t slice, int64_t word) const { return word / slice_width == slice; }

  // Rows of a slice lie an odd number of cache lines apart, so that a column's elements spread over the
  // cache.
  template <class T>
  int64_t row_stride() const {
    return slice_width + 64 / static_cast<int64_t>(sizeof(T));
  }

  int64_t words, slice_width, slices;
};

// A block of rows of x as the weight's kernels want them: f32, widened where x is Bf16, or for tiles as they
// are.
template <class T>
struct LeftRows {
  LeftRows() = default;
  LeftRows(const T* x, int64_t rows, int64_t width, const PackedMatrix& weight) {
    struct Wide {};
    if constexpr (std::is_same_v<T, float>) {
      wide = x;
    } else if (weight.tiled()) {
      narrow = x;
    } else {
      float* const to = scratch<Wide, float>(rows * width);
      convert_rows(x, width, rows, width, to, width);
      wide = to;
    }
  }
  LeftRows from(int64_t row, int64_t width) const {
    LeftRows rows;
    if (wide != nullptr) rows.wide = wide + row * width;
    if (narrow != nullptr) rows.narrow = narrow + row * width;
    return rows;
  }

  const float* wide = nullptr;  // one of the two
  const Bf16* narrow = nullptr;
};

// logits = x B + bias of one slice of the vocabulary.
template <class T, class Args>
void slice_logits(const Args& args, const LeftRows<T>& x, int64_t rows, int64_t word, int64_t width,
                  float* logits, int64_t stride) {
  const float* const bias = args.bias != nullptr ? args.bias + word : nullptr;
  if (x.narrow != nullptr) {
    const int64_t panel = tile_panel_size(args.width);
    tile_kernels().multiply(
        {.rows = rows,
         .depth = args.width,
         .columns = width,
         .a = x.narrow,
         .a_stride = args.width,
         .b = reinterpret_cast<const Bf16*>(args.weight->data()) + word / kTileColumns * panel,
         .b_panel_stride = panel,
         .bias = bias,
         .c = logits,
         .c_stride = stride});
    return;
  }
  multiply({.rows = rows,
            .depth = args.width,
            .columns = width,
            .a = x.wide,
            .a_row_stride = args.width,
            .b = reinterpret_cast<const float*>(args.weight->data()) + word * args.width,
            .b_panel_stride = args.width * kPanelWidth,
            .bias = bias,
            .c = logits,
            .c_stride = stride});
}

}  // namespace heed::kernels::cpu
