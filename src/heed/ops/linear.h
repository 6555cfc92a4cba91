// y = act(x W^T + b).
#pragma once

#include "heed/autograd/parameter.h"
#include "heed/kernels/layer.h"

namespace heed {

// x [R, K], weight [N, K], bias [N] or null -> [R, N]. relu is fused with the product.
// Throws Error when the widths differ.
Var linear(Context& c, const Var& x, const Parameter& weight, const Parameter* bias = nullptr,
           kernels::Activation act = kernels::Activation::none);

}  // namespace heed
