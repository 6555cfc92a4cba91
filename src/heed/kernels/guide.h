// The guide of guided attention (Tachibana, Uenoyama & Aihara 2017, "Efficiently Trainable Text-to-Speech
// System Based on Deep Convolutional Networks with Guided Attention", section 4.1): how far a weight lies
// from the diagonal. W is a function of two positions, so that nobody needs to store it.
#pragma once

#include <cmath>
#include <cstdint>

namespace heed::kernels {

// For query t of T and key n of N:  W_nt = 1 - exp(-(n/N - t/T)^2 / (2 g^2)),  both counted from 0.
struct Guide {
  const float* places = nullptr;  // [R_q] t/T of each query; null: there is no guide
  float width = 0.2f;             // g
  int64_t head = -1;              // the head that is guided; -1: all of them

  explicit operator bool() const { return places != nullptr; }
  bool guides(int64_t h) const { return places != nullptr && (head < 0 || head == h); }
  // 1 / (2 g^2)
  float sharpness() const { return 0.5f / (width * width); }
};

// W of one query, in the reference kernels and where there are few keys.
template <class R>
R guide_penalty(const Guide& guide, int64_t query_row, int64_t key, int64_t keys) {
  const R distance = static_cast<R>(key) / static_cast<R>(keys) - static_cast<R>(guide.places[query_row]);
  return R{1} - std::exp(-distance * distance * static_cast<R>(guide.sharpness()));
}

}  // namespace heed::kernels
