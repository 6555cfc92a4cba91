// Element-wise functions, with the dropout that follows them.
#pragma once

#include "heed/kernels/layer.h"
#include "heed/ops/dropout.h"

namespace heed {

// dropout(act(x)) [R, D]; x itself when there is nothing to do. Throws Error on an x that is not dense, and
// where something is dropped from rows that are not as many as the layout's.
Var activation(Context& c, const Var& x, kernels::Activation act, const DropoutSite& site,
               const Layout& layout);
// act(x), without dropout.
Var activation(Context& c, const Var& x, kernels::Activation act);

}  // namespace heed
