// Neighbours mixed, column by column.
#pragma once

#include "heed/autograd/parameter.h"
#include "heed/tensor/layout.h"

namespace heed {

// Depthwise convolution over the positions of each sentence: y[r, c] = sum_k w[k, c] x[r + k - left, c], over
// the rows of r's sentence. x [R, C], weights [K, C] -> [R, C]. `left` is how many rows the first tap stands
// before y's: K / 2 centres an odd K, K - 1 sees nothing of what comes after. Throws Error on other shapes.
Var depthwise_convolution(Context& c, const Var& x, const Layout& layout, const Parameter& weights,
                          int64_t left);

}  // namespace heed
