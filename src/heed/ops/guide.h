// Guided attention (Tachibana, Uenoyama & Aihara 2017, section 4.1): an attention op that is given a guide
// sums up how far each query's weights lie from the diagonal, and training adds these sums to its loss.
// Letters: R_q query rows, H heads, N keys of a query's sentence, T its queries.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "heed/autograd/tape.h"
#include "heed/kernels/guide.h"
#include "heed/tensor/layout.h"

namespace heed {

// kernels/guide.h has the penalty W.
struct Guide {
  float width = 0.2f;                                // g
  int64_t head = -1;                                 // the head that is guided; -1: all of them
  std::shared_ptr<const std::vector<float>> places;  // [R_q] t/T of each query

  explicit operator bool() const { return places != nullptr; }
  // For these of its rows, in their order; none named: all. Throws std::out_of_range on a row it has not.
  Guide of_rows(std::span<const int32_t> rows) const;
  kernels::Guide for_kernel() const {
    return {.places = places ? places->data() : nullptr, .width = width, .head = head};
  }
};

// A guide for every row of a batch, t/T being a row's position in its sentence.
Guide guide_of(const Layout& queries, float width, int64_t head);

// What an attention op gives that is guided.
struct GuidedAttention {
  Var out;   // as without a guide
  Var sums;  // [R_q, H] f32: 1/N sum over n of A_nt W_nt; zeros for heads that are not guided
};

// loss + factor * (the sum of all numbers in `parts`); loss is a scalar f32, parts are f32. Throws Error on a
// loss of several numbers and on parts that are not dense.
Var add_sums(Context& c, const Var& loss, const std::vector<Var>& parts, float factor);

}  // namespace heed
