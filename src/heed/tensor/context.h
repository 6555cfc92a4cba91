// What an op needs to know of where and how it runs.
#pragma once

#include <algorithm>
#include <cstdint>

#include "heed/base/random.h"
#include "heed/tensor/arena.h"
#include "heed/tensor/profile.h"
#include "heed/tensor/thread_pool.h"

namespace heed {

class Tape;  // autograd/tape.h

// One a trainer or translator; not shared between threads.
class Context {
 public:
  explicit Context(int threads, DType precision = DType::f32) : pool(threads), precision(precision) {}

  Tensor allocate(Shape shape) { return arena.allocate(shape, precision); }
  Tensor allocate(Shape shape, DType dtype) { return arena.allocate(shape, dtype); }
  // The same, filled with zeros; f32 or bf16.
  Tensor zeros(Shape shape) { return zeros(shape, precision); }
  Tensor zeros(Shape shape, DType dtype) {
    Tensor x = allocate(shape, dtype);
    dispatch(dtype, [&](auto zero) { std::fill_n(x.data<decltype(zero)>(), x.size(), zero); });
    return x;
  }

  bool recording() const { return tape != nullptr; }
  // The random key of a site in the model, in this update.
  uint64_t key(uint64_t site) const { return mix64(random_key, site); }

  ThreadPool pool;
  Arena arena;
  DType precision;             // of activations
  Tape* tape = nullptr;        // where ops leave their gradients; null: they leave none
  bool training = false;       // dropout is on
  uint64_t random_key = 0;     // of (seed, update, micro-batch)
  Profile* profile = nullptr;  // where ops note what they cost; null: nowhere
};

}  // namespace heed
