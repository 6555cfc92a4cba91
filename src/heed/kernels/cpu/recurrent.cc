// The recurrent pass: groups of sentences sorted by length, each a piece of work; products by matmul, what
// lies between them by vectors over the state.
#include "heed/kernels/recurrent.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <vector>

#include "heed/kernels/cpu/prefetch.h"
#include "heed/kernels/cpu/recurrent_step.h"
#include "heed/kernels/cpu/scratch.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "heed/kernels/cpu/recurrent.cc"
#include "heed/kernels/cpu/simd.h"

// After highway.h.
#include "heed/kernels/cpu/simd_math-inl.h"
#include "heed/kernels/cpu/simd_memory-inl.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels::cpu {
namespace HWY_NAMESPACE {

template <class T>
void step_row(const RecurrentArgs<T>& args, int64_t r, const T* HWY_RESTRICT x,
              const float* HWY_RESTRICT product, float* HWY_RESTRICT h, float* HWY_RESTRICT c,
              T* HWY_RESTRICT input) {
  const F32 d;
  const int64_t width = args.width;
  T* saved = args.saved == nullptr ? nullptr : args.saved + r * 4 * width;
  T* cells = args.cells == nullptr ? nullptr : args.cells + r * 2 * width;
  for_each_vector(d, width, [&](int64_t j, int64_t n) HEED_INLINE_LAMBDA {
    const auto product_of = [&](int64_t gate)
                                HEED_INLINE_LAMBDA { return load_n(d, product + gate * width + j, n); };
    const auto sum_of_gate = [&](int64_t gate) HEED_INLINE_LAMBDA {
      return hn::Add(load_n(d, x + gate * width + j, n), product_of(gate));
    };
    const FloatVector before = load_n(d, h + j, n);
    if (args.h_previous != nullptr) store_n(d, before, args.h_previous + r * width + j, n);
    FloatVector values[4], after;
    if (args.cell == Cell::gru) {
      values[0] = sigmoid(d, sum_of_gate(0));
      values[1] = sigmoid(d, sum_of_gate(1));
      values[3] = product_of(2);
      values[2] = tanh(d, hn::MulAdd(values[0], values[3], load_n(d, x + 2 * width + j, n)));
      after = hn::MulAdd(values[1], hn::Sub(before, values[2]), values[2]);
    } else {
      values[0] = sigmoid(d, sum_of_gate(0));
      values[1] = sigmoid(d, sum_of_gate(1));
      values[2] = tanh(d, sum_of_gate(2));
      values[3] = sigmoid(d, sum_of_gate(3));
      const FloatVector cell = load_n(d, c + j, n);
      const FloatVector next = hn::MulAdd(values[1], cell, hn::Mul(values[0], values[2]));
      if (cells != nullptr) {
        store_n(d, cell, cells + j, n);
        store_n(d, next, cells + width + j, n);
      }
      store_n(d, next, c + j, n);
      after = hn::Mul(values[3], tanh(d, next));
    }
    store_n(d, after, h + j, n);
    store_n(d, after, input + j, n);
    if (args.h != nullptr) store_n(d, after, args.h + r * args.h_stride + j, n);
    if (saved != nullptr)
      for (int i = 0; i < 4; ++i) store_n(d, values[i], saved + i * width + j, n);
  });
}

template <class T>
void step_row_gradient(const RecurrentGradientArgs<T>& args, int64_t r, float* HWY_RESTRICT dh,
                       float* HWY_RESTRICT dc, T* HWY_RESTRICT d_product) {
  const F32 d;
  const RecurrentArgs<T>& forward = args.forward;
  const int64_t width = forward.width, all = gates_of(forward.cell) * width;
  const T* saved = forward.saved + r * 4 * width;
  const FloatVector one = hn::Set(d, 1.0f);
  const auto slope = [&](FloatVector s) HWY_ATTR { return hn::NegMulAdd(s, s, s); };  // s (1 - s)
  for_each_vector(d, width, [&](int64_t j, int64_t n) HEED_INLINE_LAMBDA {
    const auto value = [&](int64_t i) HEED_INLINE_LAMBDA { return load_n(d, saved + i * width + j, n); };
    const auto put = [&](int64_t gate, FloatVector dx, FloatVector dp) HEED_INLINE_LAMBDA {
      store_n(d, dx, args.d_gates_x + r * all + gate * width + j, n);
      store_n(d, dp, d_product + gate * width + j, n);
    };
    FloatVector total = load_n(d, dh + j, n);
    if (args.d_h != nullptr) total = hn::Add(total, load_n(d, args.d_h + r * args.d_h_stride + j, n));
    const FloatVector s0 = value(0), s1 = value(1), s2 = value(2), s3 = value(3);
    if (forward.cell == Cell::gru) {
      const FloatVector before = load_n(d, forward.h_previous + r * width + j, n);
      const FloatVector dn = hn::Mul(hn::Mul(total, hn::Sub(one, s1)), hn::NegMulAdd(s2, s2, one));
      const FloatVector dr = hn::Mul(hn::Mul(dn, s3), slope(s0));
      const FloatVector dz = hn::Mul(hn::Mul(total, hn::Sub(before, s2)), slope(s1));
      put(0, dr, dr);
      put(1, dz, dz);
      put(2, dn, hn::Mul(dn, s0));
      store_n(d, hn::Mul(dn, s0), args.d_candidate + r * width + j, n);
      store_n(d, hn::Mul(total, s1), dh + j, n);
    } else {
      const T* cells = forward.cells + r * 2 * width;
      const FloatVector squashed = tanh(d, load_n(d, cells + width + j, n));
      const FloatVector d_cell =
          hn::MulAdd(hn::Mul(total, s3), hn::NegMulAdd(squashed, squashed, one), load_n(d, dc + j, n));
      const FloatVector di = hn::Mul(hn::Mul(d_cell, s2), slope(s0));
      const FloatVector df = hn::Mul(hn::Mul(d_cell, load_n(d, cells + j, n)), slope(s1));
      const FloatVector dg = hn::Mul(hn::Mul(d_cell, s0), hn::NegMulAdd(s2, s2, one));
      const FloatVector d_o = hn::Mul(hn::Mul(total, squashed), slope(s3));
      put(0, di, di);
      put(1, df, df);
      put(2, dg, dg);
      put(3, d_o, d_o);
      store_n(d, hn::Mul(d_cell, s1), dc + j, n);
      store_n(d, hn::Zero(d), dh + j, n);
    }
  });
}

void step_f32(const RecurrentArgs<float>& args, int64_t r, const float* x, const float* product, float* h,
              float* c, float* input) {
  step_row(args, r, x, product, h, c, input);
}
void step_bf16(const RecurrentArgs<Bf16>& args, int64_t r, const Bf16* x, const float* product, float* h,
               float* c, Bf16* input) {
  step_row(args, r, x, product, h, c, input);
}
void step_gradient_f32(const RecurrentGradientArgs<float>& args, int64_t r, float* dh, float* dc,
                       float* d_product) {
  step_row_gradient(args, r, dh, dc, d_product);
}
void step_gradient_bf16(const RecurrentGradientArgs<Bf16>& args, int64_t r, float* dh, float* dc,
                        Bf16* d_product) {
  step_row_gradient(args, r, dh, dc, d_product);
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::kernels {
namespace cpu {
HWY_EXPORT(step_f32);
HWY_EXPORT(step_bf16);
HWY_EXPORT(step_gradient_f32);
HWY_EXPORT(step_gradient_bf16);

void recurrent_step(const RecurrentArgs<float>& args, int64_t r, const float* x, const float* product,
                    float* h, float* c, float* input) {
  HEED_DISPATCH(step_f32)(args, r, x, product, h, c, input);
}
void recurrent_step(const RecurrentArgs<Bf16>& args, int64_t r, const Bf16* x, const float* product, float* h,
                    float* c, Bf16* input) {
  HEED_DISPATCH(step_bf16)(args, r, x, product, h, c, input);
}
void recurrent_step_gradient(const RecurrentGradientArgs<float>& args, int64_t r, float* dh, float* dc,
                             float* d_product) {
  HEED_DISPATCH(step_gradient_f32)(args, r, dh, dc, d_product);
}
void recurrent_step_gradient(const RecurrentGradientArgs<Bf16>& args, int64_t r, float* dh, float* dc,
                             Bf16* d_product) {
  HEED_DISPATCH(step_gradient_bf16)(args, r, dh, dc, d_product);
}

std::vector<int32_t> sentences_by_length(const int32_t* offsets, int64_t sentences) {
  std::vector<int32_t> order(static_cast<size_t>(sentences));
  std::iota(order.begin(), order.end(), 0);
  const auto length = [&](int32_t b) { return offsets[b + 1] - offsets[b]; };
  std::stable_sort(order.begin(), order.end(), [&](int32_t a, int32_t b) { return length(a) > length(b); });
  return order;
}

void RecurrentGroup::gather(const float* from, int64_t width, float* to) const {
  for (int64_t i = 0; i < size; ++i) {
    if (from == nullptr)
      std::fill_n(to + i * width, width, 0.0f);
    else
      std::copy_n(from + sentences[i] * width, width, to + i * width);
  }
}
void RecurrentGroup::scatter(const float* from, int64_t width, float* to) const {
  if (to == nullptr) return;
  for (int64_t i = 0; i < size; ++i) std::copy_n(from + i * width, width, to + sentences[i] * width);
}

}  // namespace cpu

namespace {

using cpu::RecurrentGroup;

struct StateUse {};
struct ProductUse {};
struct InputUse {};

// The rows of the step after this one lie elsewhere in memory, so each step asks for them.
template <class T>
void run_group(ThreadPool& pool, const RecurrentArgs<T>& args, const RecurrentGroup& group) {
  const int64_t width = args.width, all = gates_of(args.cell) * width;
  float* h = cpu::scratch<StateUse, float>(2 * group.size * width);
  float* c = h + group.size * width;
  float* product = cpu::scratch<ProductUse, float>(group.size * all);
  T* input = cpu::scratch<InputUse, T>(group.size * width);
  group.gather(args.initial, width, h);
  group.gather(args.initial_cell, width, c);
  std::transform(h, h + group.size * width, input, [](float v) { return static_cast<T>(v); });
  const auto gates_x = [&](int64_t r) {
    return args.gates_x + (args.gates_row == nullptr ? r : args.gates_row[r]) * args.gates_stride;
  };
  const int64_t steps = group.length(0);
  for (int64_t step = 0; step < steps; ++step) {
    const int64_t alive = group.alive(step);
    cpu::step_product(pool, input, alive, *args.weight, args.bias, false, product);
    for (int64_t i = 0; i < alive; ++i) {
      const int64_t r = group.row(i, step);
      if (step + 1 < group.length(i)) cpu::prefetch_row(gates_x(group.row(i, step + 1)), all);
      cpu::recurrent_step(args, r, gates_x(r), product + i * all, h + i * width, c + i * width,
                          input + i * width);
    }
  }
  group.scatter(h, width, args.last);
  group.scatter(c, width, args.last_cell);
}

template <class T>
void run_group_gradient(ThreadPool& pool, const RecurrentGradientArgs<T>& args, const RecurrentGroup& group) {
  const RecurrentArgs<T>& forward = args.forward;
  const int64_t width = forward.width, all = gates_of(forward.cell) * width;
  float* dh = cpu::scratch<StateUse, float>(2 * group.size * width);
  float* dc = dh + group.size * width;
  T* d_product = cpu::scratch<InputUse, T>(group.size * all);
  group.gather(args.d_last, width, dh);
  group.gather(args.d_last_cell, width, dc);
  for (int64_t step = group.length(0) - 1; step >= 0; --step) {
    const int64_t alive = group.alive(step);
    for (int64_t i = 0; i < alive; ++i) {
      if (step > 0) {
        const int64_t next = group.row(i, step - 1);
        cpu::prefetch_row(forward.saved + next * 4 * width, 4 * width);
        if (forward.cell == Cell::gru) {
          cpu::prefetch_row(forward.h_previous + next * width, width);
        } else {
          cpu::prefetch_row(forward.cells + next * 2 * width, 2 * width);
        }
        if (args.d_h != nullptr) cpu::prefetch_row(args.d_h + next * args.d_h_stride, width);
      }
      cpu::recurrent_step_gradient(args, group.row(i, step), dh + i * width, dc + i * width,
                                   d_product + i * all);
    }
    cpu::step_product(pool, d_product, alive, *args.weight_back, nullptr, true, dh);
  }
  group.scatter(dh, width, args.d_initial);
  group.scatter(dc, width, args.d_initial_cell);
}

const RecurrentArgs<float>& forward_of(const RecurrentArgs<float>& args) {
  return args;
}
const RecurrentArgs<Bf16>& forward_of(const RecurrentArgs<Bf16>& args) {
  return args;
}
template <class T>
const RecurrentArgs<T>& forward_of(const RecurrentGradientArgs<T>& args) {
  return args.forward;
}

// Calls f(pass, group) for all groups of all passes, the longest of each pass first.
template <class Args, class F>
void for_each_group(ThreadPool& pool, std::span<const Args> passes, F f) {
  struct Piece {
    const Args* args;
    RecurrentGroup group;
  };
  std::vector<std::vector<int32_t>> orders;
  std::vector<Piece> pieces;
  for (const Args& args : passes) {
    orders.push_back(cpu::sentences_by_length(forward_of(args).offsets, forward_of(args).sentences));
  }
  size_t longest = 0;
  for (const auto& order : orders) longest = std::max(longest, order.size());
  for (size_t begin = 0; begin < longest; begin += kRecurrentGroup)
    for (size_t p = 0; p < passes.size(); ++p)
      if (begin < orders[p].size())
        pieces.push_back(
            {&passes[p],
             {forward_of(passes[p]).offsets, forward_of(passes[p]).reverse, orders[p].data() + begin,
              std::min<int64_t>(kRecurrentGroup, static_cast<int64_t>(orders[p].size() - begin))}});
  pool.run(static_cast<int64_t>(pieces.size()),
           [&](int64_t i) { f(*pieces[static_cast<size_t>(i)].args, pieces[static_cast<size_t>(i)].group); });
}

}  // namespace

void recurrent(ThreadPool& pool, std::span<const RecurrentArgs<float>> passes) {
  for_each_group(pool, passes, [&](const auto& args, const auto& group) { run_group(pool, args, group); });
}
void recurrent(ThreadPool& pool, std::span<const RecurrentArgs<Bf16>> passes) {
  for_each_group(pool, passes, [&](const auto& args, const auto& group) { run_group(pool, args, group); });
}
void recurrent_gradient(ThreadPool& pool, std::span<const RecurrentGradientArgs<float>> passes) {
  for_each_group(pool, passes,
                 [&](const auto& args, const auto& group) { run_group_gradient(pool, args, group); });
}
void recurrent_gradient(ThreadPool& pool, std::span<const RecurrentGradientArgs<Bf16>> passes) {
  for_each_group(pool, passes,
                 [&](const auto& args, const auto& group) { run_group_gradient(pool, args, group); });
}

}  // namespace heed::kernels
#endif  // HWY_ONCE
