// embedding, its gradient, rotary positions, and sums of rows that were read together.
#include <algorithm>
#include <numeric>
#include <vector>

#include "heed/kernels/cpu/scratch.h"
#include "heed/kernels/layer.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "heed/kernels/cpu/layer_embedding.cc"
#include "heed/kernels/cpu/simd.h"

// After highway.h.
#include "heed/kernels/cpu/dropout-inl.h"
#include "heed/kernels/cpu/simd_memory-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels::cpu {
namespace HWY_NAMESPACE {

struct RowUse {};

template <class T>
void embedding_rows(const EmbeddingArgs<T>& args, int64_t begin, int64_t end) {
  const F32 d;
  const int64_t width = args.width;
  const bool drops = args.dropout.threshold() != 0;
  float* HWY_RESTRICT factors = scratch<RowUse, float>(padded(width));
  const FloatVector scale = hn::Set(d, args.scale);
  for (int64_t r = begin; r < end; ++r) {
    const float* word = args.table + args.ids[r] * width;
    const float* place = args.positions == nullptr ? nullptr : args.positions + args.position[r] * width;
    T* y = args.y + r * width;
    if (drops) dropout_factors(args.dropout, args.row_keys[r], 0, width, factors);
    for_each_vector(d, width, [&](int64_t c, int64_t n) HEED_INLINE_LAMBDA {
      FloatVector value = hn::Mul(scale, load_n(d, word + c, n));
      if (place != nullptr) value = hn::Add(value, load_n(d, place + c, n));
      if (drops) value = hn::Mul(value, hn::LoadU(d, factors + c));
      store_n(d, value, y + c, n);
    });
  }
}

// Columns [begin, end), begin even, of all rows.
template <class T>
void embedding_gradient_columns(const EmbeddingGradientArgs<T>& args, int64_t begin, int64_t end) {
  const F32 d;
  const bool drops = args.dropout.threshold() != 0;
  float* HWY_RESTRICT factors = scratch<RowUse, float>(padded(end - begin));
  const FloatVector scale = hn::Set(d, args.scale);
  for (int64_t r = 0; r < args.rows; ++r) {
    const T* dy = args.dy + r * args.width + begin;
    float* word = args.d_table + args.ids[r] * args.width + begin;
    float* place =
        args.d_positions == nullptr ? nullptr : args.d_positions + args.position[r] * args.width + begin;
    if (drops) dropout_factors(args.dropout, args.row_keys[r], begin, end - begin, factors);
    for_each_vector(d, end - begin, [&](int64_t c, int64_t n) HEED_INLINE_LAMBDA {
      FloatVector value = load_n(d, dy + c, n);
      if (drops) value = hn::Mul(value, hn::LoadU(d, factors + c));
      store_n(d, hn::MulAdd(scale, value, load_n(d, word + c, n)), word + c, n);
      if (place != nullptr) store_n(d, hn::Add(value, load_n(d, place + c, n)), place + c, n);
    });
  }
}

template <class T>
void rotary_rows(const RotaryArgs<T>& args, int64_t begin, int64_t end) {
  const F32 d;
  const FloatVector sign = hn::Set(d, args.back ? -1.0f : 1.0f);
  const int64_t half = args.head_width / 2;
  for (int64_t r = begin; r < end; ++r) {
    const T* x = args.x + r * args.width;
    T* y = args.y + r * args.width;
    const float* sines = args.angles + args.position[r] * args.head_width;
    const float* cosines = sines + half;
    for (int64_t head = 0; head < args.rotated; head += args.head_width) {
      for_each_vector(d, half, [&](int64_t i, int64_t n) HEED_INLINE_LAMBDA {
        const FloatVector sine = hn::Mul(sign, load_n(d, sines + i, n)), cosine = load_n(d, cosines + i, n);
        const FloatVector first = load_n(d, x + head + i, n), second = load_n(d, x + head + half + i, n);
        store_n(d, hn::NegMulAdd(second, sine, hn::Mul(first, cosine)), y + head + i, n);
        store_n(d, hn::MulAdd(first, sine, hn::Mul(second, cosine)), y + head + half + i, n);
      });
    }
    std::copy(x + args.rotated, x + args.width, y + args.rotated);
  }
}

// Sums [begin, end); the rows of sum i are order[first[i]] .. order[first[i + 1]].
template <class T>
void sum_rows(const RowSumsArgs<T>& args, const int32_t* order, const int32_t* first, int64_t begin,
              int64_t end) {
  const F32 d;
  for (int64_t i = begin; i < end; ++i) {
    float* HWY_RESTRICT y = args.y + i * args.width;
    std::fill_n(y, args.width, 0.0f);
    for (int32_t at = first[i]; at < first[i + 1]; ++at) {
      const T* x = args.x + order[at] * args.width;
      for_each_vector(d, args.width, [&](int64_t c, int64_t n) HEED_INLINE_LAMBDA {
        store_n(d, hn::Add(load_n(d, y + c, n), load_n(d, x + c, n)), y + c, n);
      });
    }
  }
}

void row_sums_f32(const RowSumsArgs<float>& args, const int32_t* order, const int32_t* first, int64_t begin,
                  int64_t end) {
  sum_rows(args, order, first, begin, end);
}
void row_sums_bf16(const RowSumsArgs<Bf16>& args, const int32_t* order, const int32_t* first, int64_t begin,
                   int64_t end) {
  sum_rows(args, order, first, begin, end);
}
void rotary_f32(const RotaryArgs<float>& args, int64_t begin, int64_t end) {
  rotary_rows(args, begin, end);
}
void rotary_bf16(const RotaryArgs<Bf16>& args, int64_t begin, int64_t end) {
  rotary_rows(args, begin, end);
}
void embedding_f32(const EmbeddingArgs<float>& args, int64_t begin, int64_t end) {
  embedding_rows(args, begin, end);
}
void embedding_bf16(const EmbeddingArgs<Bf16>& args, int64_t begin, int64_t end) {
  embedding_rows(args, begin, end);
}
void embedding_gradient_f32(const EmbeddingGradientArgs<float>& args, int64_t begin, int64_t end) {
  embedding_gradient_columns(args, begin, end);
}
void embedding_gradient_bf16(const EmbeddingGradientArgs<Bf16>& args, int64_t begin, int64_t end) {
  embedding_gradient_columns(args, begin, end);
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::kernels {
namespace cpu {
HWY_EXPORT(embedding_f32);
HWY_EXPORT(embedding_bf16);
HWY_EXPORT(embedding_gradient_f32);
HWY_EXPORT(embedding_gradient_bf16);
HWY_EXPORT(rotary_f32);
HWY_EXPORT(rotary_bf16);
HWY_EXPORT(row_sums_f32);
HWY_EXPORT(row_sums_bf16);
}  // namespace cpu

namespace {

template <class Args, class Kernel>
void by_rows(ThreadPool& pool, const Args& args, Kernel kernel) {
  const int64_t grain = std::max<int64_t>(1, 16384 / std::max<int64_t>(1, args.width));
  pool.run_ranges(args.rows, grain, [&](int64_t begin, int64_t end) { kernel(args, begin, end); });
}

// A word may occur in any row, so that pieces share columns and not rows: whole cache lines, at most eight
// pieces, as each reads all ids.
template <class Args, class Kernel>
void by_columns(ThreadPool& pool, const Args& args, Kernel kernel) {
  const int64_t grain = std::max<int64_t>(32, (args.width / 8 + 31) / 32 * 32);
  pool.run_ranges(args.width, grain, [&](int64_t begin, int64_t end) { kernel(args, begin, end); });
}

// A sum's rows lie anywhere, but each is read once, whole, while the sum stays in L1.
template <class Args, class Kernel>
void by_sums(ThreadPool& pool, const Args& args, Kernel kernel) {
  std::vector<int32_t> first(static_cast<size_t>(args.sums) + 1), order(static_cast<size_t>(args.rows));
  for (int64_t r = 0; r < args.rows; ++r) ++first[static_cast<size_t>(args.into[r]) + 1];
  std::partial_sum(first.begin(), first.end(), first.begin());
  std::vector<int32_t> next(first.begin(), first.end() - 1);
  for (int64_t r = 0; r < args.rows; ++r)
    order[static_cast<size_t>(next[static_cast<size_t>(args.into[r])]++)] = static_cast<int32_t>(r);
  constexpr int64_t kGrain = 32;
  pool.run_ranges(args.sums, kGrain,
                  [&](int64_t begin, int64_t end) { kernel(args, order.data(), first.data(), begin, end); });
}

}  // namespace

void row_sums(ThreadPool& pool, const RowSumsArgs<float>& args) {
  by_sums(pool, args, HEED_DISPATCH(cpu::row_sums_f32));
}
void row_sums(ThreadPool& pool, const RowSumsArgs<Bf16>& args) {
  by_sums(pool, args, HEED_DISPATCH(cpu::row_sums_bf16));
}
void embedding(ThreadPool& pool, const EmbeddingArgs<float>& args) {
  by_rows(pool, args, HEED_DISPATCH(cpu::embedding_f32));
}
void embedding(ThreadPool& pool, const EmbeddingArgs<Bf16>& args) {
  by_rows(pool, args, HEED_DISPATCH(cpu::embedding_bf16));
}
void rotary(ThreadPool& pool, const RotaryArgs<float>& args) {
  by_rows(pool, args, HEED_DISPATCH(cpu::rotary_f32));
}
void rotary(ThreadPool& pool, const RotaryArgs<Bf16>& args) {
  by_rows(pool, args, HEED_DISPATCH(cpu::rotary_bf16));
}
void embedding_gradient(ThreadPool& pool, const EmbeddingGradientArgs<float>& args) {
  by_columns(pool, args, HEED_DISPATCH(cpu::embedding_gradient_f32));
}
void embedding_gradient(ThreadPool& pool, const EmbeddingGradientArgs<Bf16>& args) {
  by_columns(pool, args, HEED_DISPATCH(cpu::embedding_gradient_bf16));
}

}  // namespace heed::kernels
#endif  // HWY_ONCE
