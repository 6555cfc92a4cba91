#include "heed/kernels/cpu/output_panels.h"

#include <algorithm>
#include <cmath>

#include "heed/kernels/cpu/output_slices.h"
#include "heed/kernels/cpu/product.h"
#include "heed/kernels/cpu/scratch.h"
#include "heed/kernels/cpu/softmax.h"
#include "heed/kernels/cpu/top_k.h"

namespace heed::kernels::cpu {
namespace {

constexpr int64_t kBlockRows = 256;

// log of the sum of exp over all slices of a row, in ascending order.
struct WholeRow {
  WholeRow(const RowStatistics* slices, int64_t count) {
    shift = slices[0].shift;
    for (int64_t s = 1; s < count; ++s) shift = std::max(shift, slices[s].shift);
    for (int64_t s = 0; s < count; ++s) sum += std::exp(slices[s].shift - shift) * slices[s].sum;
    log_sum = shift + std::log(sum);
  }
  float shift, sum = 0, log_sum;
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
void output_top_k_panels(ThreadPool& pool, const OutputTopKArgs<T>& args) {
  const VocabularyCut cut(args.words);
  const int64_t stride = cut.row_stride<float>(), block_rows = std::min(kBlockRows, args.rows);
  struct Statistics {};
  struct Slices {};
  auto* const statistics = scratch<Statistics, RowStatistics>(block_rows * cut.slices);
  auto* const slices = scratch<Slices, float>(block_rows * cut.slices * stride);
  for (int64_t begin = 0; begin < args.rows; begin += kBlockRows) {
    const int64_t rows = std::min(kBlockRows, args.rows - begin);
    const LeftRows<T> x(args.x + begin * args.width, rows, args.width, *args.weight);
    pool.run(cut.slices, [&](int64_t s) {
      const int64_t word = cut.first_word(s), width = cut.width(s);
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
        const float highest = statistics[r * cut.slices + s].shift;  // but for a bias
        if (args.row_bias == nullptr && best.full() && highest <= best.threshold()) continue;
        offer_slice(slices + (s * block_rows + r) * stride, cut.width(s), cut.first_word(s), best);
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
  const VocabularyCut cut(args.words);
  struct Statistics {};
  auto* const statistics = scratch<Statistics, RowStatistics>(kBlockRows * cut.slices);
  for (int64_t begin = 0; begin < args.rows; begin += kBlockRows) {
    const int64_t rows = std::min(kBlockRows, args.rows - begin);
    const LeftRows<T> x(args.x + begin * args.width, rows, args.width, *args.weight);
    float* const log_probs = args.log_probs + begin * args.words;
    pool.run(cut.slices, [&](int64_t s) {
      struct Slice {};
      const int64_t stride = cut.row_stride<float>(), word = cut.first_word(s), width = cut.width(s);
      float* const logits = scratch<Slice, float>(kBlockRows * stride);
      slice_logits(args, x, rows, word, width, logits, stride);
      for (int64_t r = 0; r < rows; ++r) {
        statistics[r * cut.slices + s] = softmax_statistics(logits + r * stride, width);
      }
      convert_rows(logits, stride, rows, width, log_probs + word, args.words);
    });
    pool.run(rows, [&](int64_t r) {
      const WholeRow whole(statistics + r * cut.slices, cut.slices);
      subtract(log_probs + r * args.words, args.words, whole.log_sum);
    });
  }
}

template void output_top_k_panels(ThreadPool&, const OutputTopKArgs<float>&);
template void output_top_k_panels(ThreadPool&, const OutputTopKArgs<Bf16>&);
template void output_log_probs_panels(ThreadPool&, const OutputLogProbsArgs<float>&);
template void output_log_probs_panels(ThreadPool&, const OutputLogProbsArgs<Bf16>&);

}  // namespace heed::kernels::cpu
