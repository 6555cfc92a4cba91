// Residual connections and layer normalisation (Ba et al. 2016). Every op here throws Error on shapes and
// layouts that do not fit together, and on inputs that are not dense.
#pragma once

#include "heed/autograd/parameter.h"
#include "heed/ops/dropout.h"

namespace heed {

struct NormParameters {
  const Parameter* gain = nullptr;  // [D]
  const Parameter* bias = nullptr;  // [D]
  float epsilon = 1e-5f;
};

// LayerNorm(x)  [R, D]
Var layer_norm(Context& c, const Var& x, const NormParameters& norm);
// LayerNorm(x + dropout(y)): the post-norm sub-layer connection of Vaswani et al. 2017, section 3.1, in one
// pass.
Var residual_norm(Context& c, const Var& x, const Var& y, const DropoutSite& site, const Layout& layout,
                  const NormParameters& norm);
// x + dropout(y): the pre-norm connection (Xiong et al. 2020).
Var residual(Context& c, const Var& x, const Var& y, const DropoutSite& site, const Layout& layout);

}  // namespace heed
