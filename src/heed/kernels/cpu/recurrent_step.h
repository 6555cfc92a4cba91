// What the recurrent passes share: one row's step of a cell, all of it that lies between its products, and
// the groups of sentences that go through their steps together.
#pragma once

#include <cstdint>
#include <vector>

#include "heed/kernels/recurrent.h"

namespace heed::kernels::cpu {

// Forward. x [GH] the row's input products, product [GH] those of the state, in f32. h and c [H] f32, the
// states, are updated; input [H] gets h rounded to T for the next product. What args has room for is written
// to row r.
void recurrent_step(const RecurrentArgs<float>& args, int64_t r, const float* x, const float* product,
                    float* h, float* c, float* input);
void recurrent_step(const RecurrentArgs<Bf16>& args, int64_t r, const Bf16* x, const float* product, float* h,
                    float* c, Bf16* input);

// Backward. dh and dc [H] f32: the gradients of the states after the step on entry (args.d_h is added), on
// return those of the states before it but for the part through the product, whose factor goes to d_product
// [GH].
void recurrent_step_gradient(const RecurrentGradientArgs<float>& args, int64_t r, float* dh, float* dc,
                             float* d_product);
void recurrent_step_gradient(const RecurrentGradientArgs<Bf16>& args, int64_t r, float* dh, float* dc,
                             Bf16* d_product);

// Sentences by descending length, equals in their order.
std::vector<int32_t> sentences_by_length(const int32_t* offsets, int64_t sentences);

// The sentences of one piece of work, longest first.
struct RecurrentGroup {
  const int32_t* offsets;
  bool reverse;
  const int32_t* sentences;
  int64_t size;

  int64_t length(int64_t i) const { return offsets[sentences[i] + 1] - offsets[sentences[i]]; }
  // How many are at least `step` + 1 long: the first ones.
  int64_t alive(int64_t step) const {
    int64_t n = 0;
    while (n < size && length(n) > step) ++n;
    return n;
  }
  int64_t row(int64_t i, int64_t step) const {
    const int32_t b = sentences[i];
    return reverse ? offsets[b + 1] - 1 - step : offsets[b] + step;
  }
  // State rows [size, H] from [B, H], zeros from null; and to [B, H], nowhere to null.
  void gather(const float* from, int64_t width, float* to) const;
  void scatter(const float* from, int64_t width, float* to) const;
};

// y [rows, N] f32 = x B + bias, or y += x B, of one thread: rows of x and y lie close together.
template <class T>
void step_product(ThreadPool& pool, const T* x, int64_t rows, const PackedMatrix& b, const float* bias,
                  bool accumulate, float* y) {
  MatmulArgs<T, float> m{};
  m.x = x;
  m.x_stride = b.inner();
  m.rows = rows;
  m.b = &b;
  m.bias = bias;
  m.accumulate = accumulate;
  m.y = y;
  m.y_stride = b.outer();
  matmul(pool, m);
}

}  // namespace heed::kernels::cpu
