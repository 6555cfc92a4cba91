// The pass of kernels/attention_decoder.h as plain steps, a row at a time, of the plain cell and the plain
// attention. Weights come as [GH, H] and [A, H].
#pragma once

#include <vector>

#include "heed/kernels/attention_decoder.h"
#include "heed/kernels/reference/additive_attention.h"
#include "heed/kernels/reference/recurrent.h"

namespace heed::kernels::reference {

// One row's step of a cell. gates_x [GH]; h and c [H] are updated.
template <class T>
void cell_step(Cell cell, int64_t width, const T* gates_x, const Real<T>* weight, const Real<T>* bias,
               std::vector<Real<T>>& h, std::vector<Real<T>>& c) {
  const int32_t offsets[] = {0, 1};
  const std::vector<Real<T>> h_before = h, c_before = c;
  std::vector<T> out(width);
  recurrent<T>({.cell = cell,
                .sentences = 1,
                .width = width,
                .offsets = offsets,
                .gates_x = gates_x,
                .bias = bias,
                .initial = h_before.data(),
                .initial_cell = c_before.data(),
                .h = out.data(),
                .last = h.data(),
                .last_cell = c.data()},
               weight);
}

// first_weight is null when attention comes before its one cell.
template <class T>
void attention_decoder(const AttentionDecoderArgs<T>& args, const Real<T>* weight,
                       const Real<T>* first_weight, const Real<T>* query_weight) {
  using R = Real<T>;
  const RecurrentArgs<T>& cell = args.cell;
  const int64_t width = cell.width, all = gates_of(cell.cell) * width;
  for (int64_t b = 0; b < cell.sentences; ++b) {
    std::vector<R> h(width), c(width);
    if (cell.initial != nullptr) h.assign(cell.initial + b * width, cell.initial + (b + 1) * width);
    if (cell.initial_cell != nullptr)
      c.assign(cell.initial_cell + b * width, cell.initial_cell + (b + 1) * width);
    const int32_t keys_begin = args.key_offsets[b], keys_end = args.key_offsets[b + 1];
    for (int32_t r = cell.offsets[b]; r < cell.offsets[b + 1]; ++r) {
      if (first_weight != nullptr)
        cell_step(cell.cell, width, args.first->gates_x + r * args.first->gates_stride, first_weight,
                  args.first->bias, h, c);
      std::vector<T> query(args.score_width), gates(all);
      for (int64_t a = 0; a < args.score_width; ++a) {
        R sum = 0;
        for (int64_t k = 0; k < width; ++k)
          sum += static_cast<R>(static_cast<T>(h[k])) *
                 static_cast<R>(static_cast<T>(query_weight[a * width + k]));
        query[a] = static_cast<T>(sum);
      }
      R* weights = args.weights + args.weight_begin[b] + (r - cell.offsets[b]) * (keys_end - keys_begin);
      const int32_t one_query[] = {0, 1};
      const int64_t weights_begin = 0;
      AdditiveAttentionArgs<T> attention{.sentences = 1,
                                         .query_offsets = one_query,
                                         .key_begin = &keys_begin,
                                         .key_end = &keys_end,
                                         .width = args.score_width,
                                         .value_width = all,
                                         .q = query.data(),
                                         .k = args.keys,
                                         .v = args.context_gates,
                                         .q_stride = args.score_width,
                                         .k_stride = args.key_stride,
                                         .v_stride = args.context_gates_stride,
                                         .score = args.score,
                                         .weight_begin = &weights_begin,
                                         .weights = weights,
                                         .out = gates.data()};
      additive_attention(attention, 0);
      attention.value_width = args.value_width;
      attention.v = args.values;
      attention.v_stride = args.value_stride;
      attention.out = args.contexts + r * args.value_width;
      additive_attention(attention, 0);
      for (int64_t g = 0; g < all && first_weight == nullptr; ++g)
        gates[g] = static_cast<T>(static_cast<R>(gates[g]) +
                                  static_cast<R>(cell.gates_x[r * cell.gates_stride + g]));
      cell_step(cell.cell, width, gates.data(), weight, cell.bias, h, c);
      for (int64_t j = 0; j < width; ++j) cell.h[r * cell.h_stride + j] = static_cast<T>(h[j]);
    }
  }
}

}  // namespace heed::kernels::reference
