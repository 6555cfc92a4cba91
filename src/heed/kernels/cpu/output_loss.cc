// Softmax, cross-entropy and their gradient over blocks of rows, the vocabulary in slices. What passes from
// one step to the next is e = exp(logit - shift), in bf16 where the products are; the logits themselves live
// for some rows of one slice. With s the sum of a row's e,
//
//   d logits = e / s - smoothing / V - (1 - smoothing) [word is target],
//
// of which only e goes through the products: dx = (e W) / s and dW = e^T (x / s). The terms after it are
// added in f32, and so is all that concerns the target, where p - 1 would lose its digits to the rounding of
// p; its e is zero.
#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <type_traits>

#include "heed/kernels/cpu/cut.h"
#include "heed/kernels/cpu/output_panels.h"
#include "heed/kernels/cpu/output_slices.h"
#include "heed/kernels/cpu/product.h"
#include "heed/kernels/cpu/scratch.h"
#include "heed/kernels/cpu/softmax.h"
#include "heed/kernels/cpu/tiles.h"

namespace heed::kernels::cpu {
namespace {

// to[n] += factor * B[k, n]
void add_row_of(const PackedMatrix& b, int64_t k, float factor, float* to) {
  constexpr int64_t kTogether = 16;  // columns that lie side by side
  for (int64_t n = 0; n < b.outer(); n += kTogether) {
    float row[kTogether];
    if (b.tiled()) {  // in pairs with those of the other k
      uint32_t pairs[kTogether];
      const auto* const tiles = reinterpret_cast<const Bf16*>(b.data());
      std::memcpy(pairs, tiles + tiled_position(b.inner(), k / 2 * 2, n), sizeof(pairs));
      const int lower = k % 2 == 0 ? 16 : 0;
      for (int64_t i = 0; i < kTogether; ++i) row[i] = std::bit_cast<float>(pairs[i] << lower & 0xFFFF0000u);
    } else {
      const auto* const panels = reinterpret_cast<const float*>(b.data());
      std::memcpy(row, panels + n * b.inner() + k * kPanelWidth, sizeof(row));
    }
    const int64_t columns = std::min(kTogether, b.outer() - n);
    for (int64_t i = 0; i < columns; ++i) to[n + i] += factor * row[i];
  }
}

// T: of x. E: of e, what the products of the way back take: Bf16 for tiles, float for panels.
template <class T, class E>
class LossBlock {
 public:
  // The exponentials of a block stay in the last level of cache where the vocabulary is of usual size.
  static constexpr int64_t kRows = std::is_same_v<E, Bf16> ? 512 : 256;

  LossBlock(ThreadPool& pool, const OutputLossArgs<T>& args) : args_(args), cut_(args.words) {
    struct Exponentials {};
    struct Sums {};
    struct Rows {};
    struct X {};
    struct Columns {};
    struct Partial {};
    if (wants_gradient()) exponentials_ = scratch<Exponentials, E>(cut_.slices * kRows * stride_);
    sums_ = scratch<Sums, SliceSums>(kRows * cut_.slices);
    rows_of_block_ = scratch<Rows, Row>(kRows);
    if (args.dweight != nullptr) {
      const int64_t columns = divide_up(args.width, kTileColumns) * kTileColumns;
      x_right_ = scratch<X, E>(columns * kRows + kRows * args.width);
      x_scaled_ = x_right_ + columns * kRows;
    }
    if (args.dx != nullptr) partial_ = scratch<Partial, float>(groups() * kRows * args.width);
    uniform_x_ = scratch<Columns, float>(2 * args.width);
    uniform_weight_ = uniform_x_ + args.width;
    if (wants_gradient()) uniform_terms(pool);
  }

  void start(int64_t begin) {
    begin_ = begin;
    rows_ = std::min(kRows, args_.rows - begin);
    x_ = LeftRows<T>(args_.x + begin * args_.width, rows_, args_.width, *args_.weight);
  }

  int64_t rows() const { return rows_; }
  int64_t slices() const { return cut_.slices; }
  int64_t groups() const { return divide_up(cut_.slices, kGroup); }

  // Step 1, of some rows: a shift. Any will do that lies no more than some 60 below the largest logit and not
  // above it by as much: the largest of the first few. finish_row sees to rows whose first few lie lower than
  // that.
  void shifts(int64_t first, int64_t end) {
    float logits[kLogitRows * kFirstWords + 16];  // room to read beyond the last
    const int64_t words = std::min(kFirstWords, args_.words);
    slice_logits(args_, x_.from(first, args_.width), end - first, 0, words, logits, kFirstWords);
    for (int64_t r = first; r < end; ++r) {
      rows_of_block_[r].shift = softmax_statistics(logits + (r - first) * kFirstWords, words).shift;
    }
  }

  // Step 2, of a slice: e and its sums.
  void exponentials(int64_t s) {
    const int64_t stride = cut_.row_stride<float>();
    float* const logits = logits_of_thread();
    for (int64_t first = 0; first < rows_; first += kLogitRows) {
      const int64_t rows = std::min(kLogitRows, rows_ - first);
      slice_logits(args_, x_.from(first, args_.width), rows, cut_.first_word(s), cut_.width(s), logits,
                   stride);
      for (int64_t i = 0; i < rows; ++i) exponentials_of_row(first + i, s, logits + i * stride);
    }
  }

  // Step 3, of a row: the loss, and what turns e into its share of the gradient.
  void finish_row(int64_t r) {
    constexpr float kLargest = 1e30f;  // of a sum: products of its e with weights stay finite
    Row& row = rows_of_block_[r];
    SliceSums whole = sum_of_slices(r);
    if (!(whole.e < kLargest)) {
      shift_to_largest(r);
      whole = sum_of_slices(r);
    }
    const float log_sum = row.shift + std::log(whole.e);
    const float log_prob = row.target_logit - log_sum;
    const float mean = whole.logits / static_cast<float>(args_.words) - log_sum;
    args_.loss[begin_ + r] = -(1 - args_.smoothing) * log_prob - args_.smoothing * mean;
    if (args_.log_prob != nullptr) args_.log_prob[begin_ + r] = log_prob;
    row.factor = 1 / whole.e;
    row.target_slope = std::exp(log_prob) - (1 - args_.smoothing);
    if (x_scaled_ != nullptr) {
      const T* const x = args_.x + (begin_ + r) * args_.width;
      for (int64_t k = 0; k < args_.width; ++k) {
        x_scaled_[r * args_.width + k] = E(static_cast<float>(x[k]) * row.factor);
      }
    }
  }

  // Step 4: x / s of the block, as right factor.
  void pack_x() {
    if constexpr (std::is_same_v<E, Bf16>) {
      tile_kernels().interleave(x_scaled_, args_.width, rows_, args_.width, x_right_);
    } else {
      pack_panels(x_scaled_, args_.width, rows_, args_.width, x_right_);
    }
  }

  // Step 5, of a group of slices: their products.
  void gradients(int64_t group) {
    const int64_t first = group * kGroup, end = std::min(first + kGroup, cut_.slices);
    for (int64_t s = first; s < end; ++s) {
      if (args_.dbias != nullptr) add_to_bias(s);
      if (args_.dweight != nullptr) {
        weight_product(s);
        add_targets(s);
      }
      if (args_.dx != nullptr) input_product(s, s > first, partial(group));
    }
  }

  // Step 6, of a row: dx is the sum of what the groups gave, in ascending order.
  void sum_row(int64_t r) {
    const Row& row = rows_of_block_[r];
    float* const sum = partial(0) + r * args_.width;
    for (int64_t g = 1; g < groups(); ++g) {
      add_rows(partial(g) + r * args_.width, args_.width, 1, args_.width, sum);
    }
    for (int64_t n = 0; n < args_.width; ++n) sum[n] = sum[n] * row.factor - uniform_weight_[n];
    add_row_of(*args_.weight_back, args_.targets[begin_ + r], row.target_slope, sum);
    convert_rows(sum, args_.width, 1, args_.width, args_.dx + (begin_ + r) * args_.width, args_.width);
  }

  bool wants_gradient() const {
    return args_.dx != nullptr || args_.dweight != nullptr || args_.dbias != nullptr;
  }

  static constexpr int64_t kLogitRows = 64;  // that live at once

 private:
  struct Row {
    float shift, target_logit;
    float factor;        // 1 / s
    float target_slope;  // p - (1 - smoothing), of the target
  };

  static constexpr int64_t kFirstWords = 64;
  static constexpr int64_t kGroup = 2;  // slices whose share of dx is summed at once

  // What smoothing / V comes to in every row of dW and of dx: its products with the sum of x and of the
  // words' weights.
  void uniform_terms(ThreadPool& pool) {
    struct Ones {};
    const float uniform = args_.smoothing / static_cast<float>(args_.words);
    std::fill_n(uniform_x_, 2 * args_.width, 0.0f);
    if (uniform == 0) return;
    add_rows(args_.x, args_.width, args_.rows, args_.width, uniform_x_);
    for (int64_t k = 0; k < args_.width; ++k) uniform_x_[k] *= -uniform;
    if (args_.dx == nullptr) return;
    T* const ones = scratch<Ones, T>(args_.words);
    std::fill_n(ones, args_.words, T(1.0f));
    matmul(pool, MatmulArgs<T, float>{.x = ones,
                                      .x_stride = args_.words,
                                      .rows = 1,
                                      .b = args_.weight_back,
                                      .y = uniform_weight_,
                                      .y_stride = args_.width});
    for (int64_t n = 0; n < args_.width; ++n) uniform_weight_[n] *= uniform;
  }

  float* logits_of_thread() const {
    struct Logits {};
    return scratch<Logits, float>(kLogitRows * cut_.row_stride<float>());
  }

  void exponentials_of_row(int64_t r, int64_t s, const float* logits) {
    Row& row = rows_of_block_[r];
    E* const e = exponentials_ != nullptr ? slice(s) + r * stride_ : nullptr;
    sums_[r * cut_.slices + s] = softmax_exponentials(logits, cut_.width(s), row.shift, e);
    const int64_t word = args_.targets[begin_ + r], target = word - cut_.first_word(s);
    if (!cut_.holds(s, word)) return;
    row.target_logit = logits[target];
    if (e != nullptr) e[target] = E(0.0f);
  }

  SliceSums sum_of_slices(int64_t r) const {
    SliceSums whole;
    for (int64_t s = 0; s < cut_.slices; ++s) {
      whole.e += sums_[r * cut_.slices + s].e;
      whole.logits += sums_[r * cut_.slices + s].logits;
    }
    return whole;
  }

  // e of a row again, from its largest logit.
  void shift_to_largest(int64_t r) {
    Row& row = rows_of_block_[r];
    float* const logits = logits_of_thread();
    const LeftRows<T> x = x_.from(r, args_.width);
    for (const bool shift_is_known : {false, true}) {
      for (int64_t s = 0; s < cut_.slices; ++s) {
        const int64_t width = cut_.width(s);
        slice_logits(args_, x, 1, cut_.first_word(s), width, logits, cut_.row_stride<float>());
        if (shift_is_known) {
          exponentials_of_row(r, s, logits);
        } else {
          row.shift = std::max(row.shift, softmax_statistics(logits, width).shift);
        }
      }
    }
  }

  void add_to_bias(int64_t s) {
    float* const dbias = args_.dbias + cut_.first_word(s);
    if (begin_ == 0) {
      const float uniform = args_.smoothing / static_cast<float>(args_.words);
      std::fill_n(dbias, cut_.width(s), -uniform * static_cast<float>(args_.rows));
    }
    for (int64_t r = 0; r < rows_; ++r) {
      add_scaled(slice(s) + r * stride_, cut_.width(s), rows_of_block_[r].factor, dbias);
      const int64_t word = args_.targets[begin_ + r];
      if (cut_.holds(s, word)) dbias[word - cut_.first_word(s)] += rows_of_block_[r].target_slope;
    }
  }

  // dW += e^T (x / s), for the words of a slice.
  void weight_product(int64_t s) {
    float* const dweight = args_.dweight + cut_.first_word(s) * args_.width;
    const float* const start = begin_ == 0 ? uniform_x_ : nullptr;
    if constexpr (std::is_same_v<E, Bf16>) {
      struct Transposed {};
      Bf16* const transposed = scratch<Transposed, Bf16>(tiled_size(kRows, cut_.slice_width));
      tile_kernels().transpose(slice(s), stride_, rows_, cut_.width(s), transposed);
      tile_kernels().multiply({.rows = cut_.width(s),
                               .depth = rows_,
                               .columns = args_.width,
                               .a = transposed,
                               .b = x_right_,
                               .b_panel_stride = tile_panel_size(rows_),
                               .bias = start,
                               .accumulate = begin_ > 0,
                               .c = dweight,
                               .c_stride = args_.width});
    } else {
      multiply({.rows = cut_.width(s),
                .depth = rows_,
                .columns = args_.width,
                .a = slice(s),
                .a_row_stride = 1,
                .a_k_stride = stride_,
                .b = x_right_,
                .b_panel_stride = rows_ * kPanelWidth,
                .bias = start,
                .accumulate = begin_ > 0,
                .c = dweight,
                .c_stride = args_.width});
    }
  }

  // dW += what the targets among the words of a slice add.
  void add_targets(int64_t s) {
    for (int64_t r = 0; r < rows_; ++r) {
      const int64_t word = args_.targets[begin_ + r];
      if (!cut_.holds(s, word)) continue;
      const T* const x = args_.x + (begin_ + r) * args_.width;
      float* const dweight = args_.dweight + word * args_.width;
      const float slope = rows_of_block_[r].target_slope;
      for (int64_t k = 0; k < args_.width; ++k) dweight[k] += slope * static_cast<float>(x[k]);
    }
  }

  // What the words of a slice give to dx.
  void input_product(int64_t s, bool accumulate, float* dx) {
    const std::byte* const weight = args_.weight_back->data();
    const int64_t word = cut_.first_word(s);
    if constexpr (std::is_same_v<E, Bf16>) {
      tile_kernels().multiply({.rows = rows_,
                               .depth = cut_.width(s),
                               .columns = args_.width,
                               .a = slice(s),
                               .a_stride = stride_,
                               .b = reinterpret_cast<const Bf16*>(weight) + tile_panel_size(word),
                               .b_panel_stride = tile_panel_size(args_.words),
                               .accumulate = accumulate,
                               .c = dx,
                               .c_stride = args_.width});
    } else {
      multiply({.rows = rows_,
                .depth = cut_.width(s),
                .columns = args_.width,
                .a = slice(s),
                .a_row_stride = stride_,
                .b = reinterpret_cast<const float*>(weight) + word * kPanelWidth,
                .b_panel_stride = args_.words * kPanelWidth,
                .accumulate = accumulate,
                .c = dx,
                .c_stride = args_.width});
    }
  }

  E* slice(int64_t s) const { return exponentials_ + s * kRows * stride_; }
  float* partial(int64_t group) const { return partial_ + group * kRows * args_.width; }

  const OutputLossArgs<T>& args_;
  const VocabularyCut cut_;
  const int64_t stride_ = cut_.row_stride<E>();
  int64_t begin_ = 0, rows_ = 0;
  LeftRows<T> x_;                               // [rows, D]
  E* exponentials_ = nullptr;                   // [slices][kRows, stride]
  SliceSums* sums_;                             // [rows, slices]
  Row* rows_of_block_;                          // [rows]
  E *x_right_ = nullptr, *x_scaled_ = nullptr;  // x / s, as right factor and [rows, D]
  float *uniform_x_, *uniform_weight_;          // [D]: what smoothing / V comes to
  float* partial_ = nullptr;                    // [groups][kRows, D]
};

template <class E, class T>
void by_blocks(ThreadPool& pool, const OutputLossArgs<T>& args) {
  constexpr int64_t kRowGrain = 16;
  LossBlock<T, E> block(pool, args);
  for (int64_t begin = 0; begin < args.rows; begin += block.kRows) {
    block.start(begin);
    const auto each_row = [&](auto step) {
      pool.run_ranges(block.rows(), kRowGrain, [&](int64_t first, int64_t last) {
        for (int64_t r = first; r < last; ++r) step(r);
      });
    };
    pool.run(divide_up(block.rows(), block.kLogitRows), [&](int64_t piece) {
      const int64_t first = piece * block.kLogitRows;
      block.shifts(first, std::min(first + block.kLogitRows, block.rows()));
    });
    pool.run(block.slices(), [&](int64_t s) { block.exponentials(s); });
    each_row([&](int64_t r) { block.finish_row(r); });
    if (args.dweight != nullptr) block.pack_x();
    if (block.wants_gradient()) pool.run(block.groups(), [&](int64_t g) { block.gradients(g); });
    if (args.dx != nullptr) each_row([&](int64_t r) { block.sum_row(r); });
  }
  if (args.rows > 0) return;
  if (args.dweight != nullptr) std::fill_n(args.dweight, args.words * args.width, 0.0f);
  if (args.dbias != nullptr) std::fill_n(args.dbias, args.words, 0.0f);
}

}  // namespace

template <class T>
void output_loss_panels(ThreadPool& pool, const OutputLossArgs<T>& args) {
  if constexpr (std::is_same_v<T, Bf16>) {
    if (args.weight->tiled()) return by_blocks<Bf16>(pool, args);
  }
  by_blocks<float>(pool, args);
}

template void output_loss_panels(ThreadPool&, const OutputLossArgs<float>&);
template void output_loss_panels(ThreadPool&, const OutputLossArgs<Bf16>&);

}  // namespace heed::kernels::cpu
