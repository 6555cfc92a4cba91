#include "heed/kernels/cpu/output_panels.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "heed/kernels/cpu/product.h"
#include "heed/kernels/cpu/scratch.h"
#include "heed/kernels/cpu/softmax.h"
#include "heed/kernels/cpu/tiles.h"
#include "heed/kernels/cpu/top_k.h"
#include "heed/kernels/cpu/vocabulary.h"

namespace heed::kernels::cpu {
namespace {

constexpr int64_t kBlockRows = VocabularyCut::kBlockRows;

// Rows of slices lie an odd number of cache lines apart, so that a column's elements spread over the cache.
int64_t padded(int64_t width) {
  return width + 16;
}

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
      float* const to = scratch<Wide, float>(kBlockRows * width);
      convert_rows(x, width, rows, width, to, width);
      wide = to;
    }
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

// log of the sum of exp over all slices of a row, in ascending order.
struct WholeRow {
  WholeRow(const RowStatistics* slices, int64_t count) {
    shift = slices[0].shift;
    for (int64_t s = 1; s < count; ++s) shift = std::max(shift, slices[s].shift);
    for (int64_t s = 0; s < count; ++s) {
      sum += std::exp(slices[s].shift - shift) * slices[s].sum;
      total += slices[s].total;
    }
    log_sum = shift + std::log(sum);
  }
  float shift, sum = 0, total = 0, log_sum;
};

// One block of rows of output_loss: its buffers and the three steps.
template <class T>
class LossBlock {
 public:
  LossBlock(const OutputLossArgs<T>& args, const VocabularyCut& cut) : args_(args), cut_(cut) {
    struct Slices {};
    struct Statistics {};
    struct Factors {};
    struct TargetLogits {};
    struct XPanels {};
    struct XTiles {};
    struct Partial {};
    stride_ = padded(cut.slice_width);
    slices_ = scratch<Slices, float>(cut.slices * kBlockRows * stride_);
    statistics_ = scratch<Statistics, RowStatistics>(kBlockRows * cut.slices);
    factors_ = scratch<Factors, float>(kBlockRows * cut.slices);
    target_logits_ = scratch<TargetLogits, float>(kBlockRows);
    if (args.dweight != nullptr) {
      if (args.weight->tiled()) {
        x_tiles_ = scratch<XTiles, Bf16>(tiled_size(kBlockRows, args.width));
      } else {
        x_panels_ = scratch<XPanels, float>((args.width + kPanelWidth) * kBlockRows);
      }
    }
    if (args.dx != nullptr) partial_ = scratch<Partial, float>(cut.slices * kBlockRows * args.width);
  }

  void start(int64_t begin, int64_t rows) {
    begin_ = begin;
    rows_ = rows;
    x_ = LeftRows<T>(args_.x + begin * args_.width, rows, args_.width, *args_.weight);
    if (x_tiles_ != nullptr) tile_kernels().interleave(x_.narrow, args_.width, rows, args_.width, x_tiles_);
    if (x_panels_ != nullptr) pack_panels(x_.wide, args_.width, rows, args_.width, x_panels_);
  }

  // Step 1, of a slice: e = exp(logits - shift).
  void exponentials(int64_t s) {
    const int64_t word = s * cut_.slice_width, width = slice_width(s);
    slice_logits(args_, x_, rows_, word, width, slice(s), stride_);
    for (int64_t r = 0; r < rows_; ++r) {
      float* const row = slice(s) + r * stride_;
      const int64_t target = args_.targets[begin_ + r] - word;
      if (target >= 0 && target < width) target_logits_[r] = row[target];
      RowStatistics& statistics = statistics_[r * cut_.slices + s];
      statistics = wants_gradient() ? softmax_exponentials(row, width) : softmax_statistics(row, width);
    }
  }

  // Step 2, of a row: the loss, and what turns each slice's e into probabilities.
  void finish_row(int64_t r) {
    const RowStatistics* const statistics = statistics_ + r * cut_.slices;
    const WholeRow whole(statistics, cut_.slices);
    const float log_prob = target_logits_[r] - whole.log_sum;
    const float mean = whole.total / static_cast<float>(args_.words) - whole.log_sum;
    args_.loss[begin_ + r] = -(1 - args_.smoothing) * log_prob - args_.smoothing * mean;
    if (args_.log_prob != nullptr) args_.log_prob[begin_ + r] = log_prob;
    for (int64_t s = 0; s < cut_.slices; ++s) {
      factors_[r * cut_.slices + s] = std::exp(statistics[s].shift - whole.shift) / whole.sum;
    }
  }

  // Step 3, of a slice: d logits = p - (1 - smoothing) [word is target] - smoothing / V, and its products.
  void gradients(int64_t s) {
    const int64_t word = s * cut_.slice_width, width = slice_width(s);
    float* const dbias = args_.dbias != nullptr ? args_.dbias + word : nullptr;
    const float uniform = args_.smoothing / static_cast<float>(args_.words);
    if (dbias != nullptr && begin_ == 0) std::fill_n(dbias, width, 0.0f);
    for (int64_t r = 0; r < rows_; ++r) {
      float* const row = slice(s) + r * stride_;
      scale_row(row, width, factors_[r * cut_.slices + s], uniform, dbias);
      const int64_t target = args_.targets[begin_ + r] - word;
      if (target < 0 || target >= width) continue;
      row[target] -= 1 - args_.smoothing;
      if (dbias != nullptr) dbias[target] -= 1 - args_.smoothing;
    }
    if (args_.weight->tiled()) {
      tiled_products(s, width);
    } else {
      panel_products(s, width);
    }
  }

  // Step 4, of a row: dx is the sum of what the slices gave, in ascending order.
  void sum_row(int64_t r) {
    float* const sum = partial(0) + r * args_.width;
    for (int64_t s = 1; s < cut_.slices; ++s) {
      add_rows(partial(s) + r * args_.width, args_.width, 1, args_.width, sum);
    }
    convert_rows(sum, args_.width, 1, args_.width, args_.dx + (begin_ + r) * args_.width, args_.width);
  }

  bool wants_gradient() const {
    return args_.dx != nullptr || args_.dweight != nullptr || args_.dbias != nullptr;
  }

 private:
  void panel_products(int64_t s, int64_t width) {
    const int64_t word = s * cut_.slice_width;
    if (args_.dweight != nullptr) {
      multiply({.rows = width,
                .depth = rows_,
                .columns = args_.width,
                .a = slice(s),
                .a_row_stride = 1,
                .a_k_stride = stride_,
                .b = x_panels_,
                .b_panel_stride = rows_ * kPanelWidth,
                .accumulate = begin_ > 0,
                .c = args_.dweight + word * args_.width,
                .c_stride = args_.width});
    }
    if (args_.dx != nullptr) {
      multiply({.rows = rows_,
                .depth = width,
                .columns = args_.width,
                .a = slice(s),
                .a_row_stride = stride_,
                .b = reinterpret_cast<const float*>(args_.weight_back->data()) + word * kPanelWidth,
                .b_panel_stride = args_.words * kPanelWidth,
                .c = partial(s),
                .c_stride = args_.width});
    }
  }

  void tiled_products(int64_t s, int64_t width) {
    struct Narrow {};
    struct Transposed {};
    const TileKernels& kernels = tile_kernels();
    const int64_t word = s * cut_.slice_width, stride = width + kTileDepth;
    Bf16* const narrow = scratch<Narrow, Bf16>(kBlockRows * (cut_.slice_width + kTileDepth));
    convert_rows(slice(s), stride_, rows_, width, narrow, stride);
    if (args_.dweight != nullptr) {
      Bf16* const transposed = scratch<Transposed, Bf16>(tiled_size(kBlockRows, cut_.slice_width));
      kernels.transpose(narrow, stride, rows_, width, transposed);
      kernels.multiply({.rows = width,
                        .depth = rows_,
                        .columns = args_.width,
                        .a = transposed,
                        .b = x_tiles_,
                        .b_panel_stride = tile_panel_size(rows_),
                        .accumulate = begin_ > 0,
                        .c = args_.dweight + word * args_.width,
                        .c_stride = args_.width});
    }
    if (args_.dx != nullptr) {
      kernels.multiply({.rows = rows_,
                        .depth = width,
                        .columns = args_.width,
                        .a = narrow,
                        .a_stride = stride,
                        .b = reinterpret_cast<const Bf16*>(args_.weight_back->data()) + tile_panel_size(word),
                        .b_panel_stride = tile_panel_size(args_.words),
                        .c = partial(s),
                        .c_stride = args_.width});
    }
  }

  int64_t slice_width(int64_t s) const {
    return std::min(cut_.slice_width, args_.words - s * cut_.slice_width);
  }
  float* slice(int64_t s) const { return slices_ + s * kBlockRows * stride_; }
  float* partial(int64_t s) const { return partial_ + s * kBlockRows * args_.width; }

  const OutputLossArgs<T>& args_;
  const VocabularyCut& cut_;
  int64_t stride_, begin_ = 0, rows_ = 0;
  LeftRows<T> x_;              // [rows, D]
  float* slices_ = nullptr;    // [slices][256, stride]: logits, exponentials, their gradient
  RowStatistics* statistics_;  // [rows, slices]
  float* factors_;             // [rows, slices]
  float* target_logits_;       // [rows]
  float* x_panels_ = nullptr;  // x as right factor, one of the two
  Bf16* x_tiles_ = nullptr;
  float* partial_ = nullptr;  // [slices][256, D]
};

// Offers the scores of one slice of a row; ids count from `word`.
void offer_slice(const float* scores, int64_t width, int64_t word, BestList& best) {
  int64_t i = 0;
  for (; i < width && !best.full(); ++i) best.add({scores[i], static_cast<int32_t>(word + i)});
  while (i < width) {
    i = find_above(scores, i, width, best.threshold());
    if (i == width) return;
    best.add({scores[i], static_cast<int32_t>(word + i)});
    ++i;
  }
}

}  // namespace

template <class T>
void output_loss_panels(ThreadPool& pool, const OutputLossArgs<T>& args) {
  const VocabularyCut cut(args.rows, args.words);
  LossBlock<T> block(args, cut);
  constexpr int64_t kRowGrain = 16;
  for (int64_t b = 0; b < cut.blocks; ++b) {
    const int64_t begin = b * kBlockRows, rows = std::min(kBlockRows, args.rows - begin);
    const auto each_row = [&](auto step) {
      pool.run_ranges(rows, kRowGrain, [&](int64_t first, int64_t last) {
        for (int64_t r = first; r < last; ++r) step(r);
      });
    };
    block.start(begin, rows);
    pool.run(cut.slices, [&](int64_t s) { block.exponentials(s); });
    each_row([&](int64_t r) { block.finish_row(r); });
    if (block.wants_gradient()) pool.run(cut.slices, [&](int64_t s) { block.gradients(s); });
    if (args.dx != nullptr) each_row([&](int64_t r) { block.sum_row(r); });
  }
  if (args.rows > 0) return;
  if (args.dweight != nullptr) std::fill_n(args.dweight, args.words * args.width, 0.0f);
  if (args.dbias != nullptr) std::fill_n(args.dbias, args.words, 0.0f);
}

template <class T>
void output_top_k_panels(ThreadPool& pool, const OutputTopKArgs<T>& args) {
  const VocabularyCut cut(args.rows, args.words);
  const int64_t stride = padded(cut.slice_width), block_rows = std::min(kBlockRows, args.rows);
  struct Statistics {};
  struct Slices {};
  auto* const statistics = scratch<Statistics, RowStatistics>(block_rows * cut.slices);
  auto* const slices = scratch<Slices, float>(block_rows * cut.slices * stride);
  const auto width_of = [&](int64_t s) {
    return std::min(cut.slice_width, args.words - s * cut.slice_width);
  };
  for (int64_t begin = 0; begin < args.rows; begin += kBlockRows) {
    const int64_t rows = std::min(kBlockRows, args.rows - begin);
    const LeftRows<T> x(args.x + begin * args.width, rows, args.width, *args.weight);
    pool.run(cut.slices, [&](int64_t s) {
      const int64_t word = s * cut.slice_width, width = width_of(s);
      float* const scores = slices + s * block_rows * stride;
      slice_logits(args, x, rows, word, width, scores, stride);
      for (int64_t r = 0; r < rows; ++r) {
        float* const row = scores + r * stride;
        statistics[r * cut.slices + s] = softmax_statistics(row, width);
        if (args.row_bias == nullptr) continue;
        add_rows(args.row_bias + (begin + r) * args.words + word, 0, 1, width, row);
      }
    });
    pool.run(rows, [&](int64_t r) {
      struct Best {};
      auto* const list = scratch<Best, Candidate>(args.k);
      BestList best(list, args.k);
      for (int64_t s = 0; s < cut.slices; ++s) {
        offer_slice(slices + (s * block_rows + r) * stride, width_of(s), s * cut.slice_width, best);
      }
      const WholeRow whole(statistics + r * cut.slices, cut.slices);
      for (int64_t i = 0; i < args.k; ++i) {
        args.ids[(begin + r) * args.k + i] = list[i].id;
        args.log_probs[(begin + r) * args.k + i] = list[i].score - whole.log_sum;
      }
    });
  }
}

template <class T>
void output_log_probs_panels(ThreadPool& pool, const OutputLogProbsArgs<T>& args) {
  const VocabularyCut cut(args.rows, args.words);
  struct Statistics {};
  auto* const statistics = scratch<Statistics, RowStatistics>(kBlockRows * cut.slices);
  for (int64_t begin = 0; begin < args.rows; begin += kBlockRows) {
    const int64_t rows = std::min(kBlockRows, args.rows - begin);
    const LeftRows<T> x(args.x + begin * args.width, rows, args.width, *args.weight);
    float* const log_probs = args.log_probs + begin * args.words;
    pool.run(cut.slices, [&](int64_t s) {
      struct Slice {};
      const int64_t stride = padded(cut.slice_width), word = s * cut.slice_width;
      const int64_t width = std::min(cut.slice_width, args.words - word);
      float* const logits = scratch<Slice, float>(kBlockRows * stride);
      slice_logits(args, x, rows, word, width, logits, stride);
      for (int64_t r = 0; r < rows; ++r) {
        statistics[r * cut.slices + s] = softmax_statistics(logits + r * stride, width);
      }
      convert_rows(logits, stride, rows, width, log_probs + word, args.words);
    });
    pool.run(rows, [&](int64_t r) {
      const WholeRow whole(statistics + r * cut.slices, cut.slices);
      scale_row(log_probs + r * args.words, args.words, 1.0f, whole.log_sum, nullptr);
    });
  }
}

template void output_loss_panels(ThreadPool&, const OutputLossArgs<float>&);
template void output_loss_panels(ThreadPool&, const OutputLossArgs<Bf16>&);
template void output_top_k_panels(ThreadPool&, const OutputTopKArgs<float>&);
template void output_top_k_panels(ThreadPool&, const OutputTopKArgs<Bf16>&);
template void output_log_probs_panels(ThreadPool&, const OutputLogProbsArgs<float>&);
template void output_log_probs_panels(ThreadPool&, const OutputLogProbsArgs<Bf16>&);

}  // namespace heed::kernels::cpu
