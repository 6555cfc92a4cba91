// Between f32 and the type of activations, for values that kernels carry in f32 (recurrent states).
#pragma once

#include "heed/autograd/tape.h"

namespace heed {

// x itself where it is f32 and dense, else a copy; nothing of nothing.
Tensor as_f32(Context& c, const Tensor& x);
// Adds the f32 gradient d to that of `into`, in its type.
void add_as(Context& c, const Var& into, const Tensor& d);

}  // namespace heed
