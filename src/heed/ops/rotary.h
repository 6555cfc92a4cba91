// Positions as rotations.
#pragma once

#include "heed/autograd/tape.h"
#include "heed/ops/embedding.h"
#include "heed/tensor/layout.h"

namespace heed {

// Rotary position embedding (Su, Lu, Pan, Murtadha, Wen, Liu 2021, "RoFormer", section 3.2): turned by their
// positions, a query and a key give a score that knows how far apart they stand, and nothing else of where.
// x [R, W]: its first `columns`, heads as wide as the sinusoids side by side, are turned, the others copied.
// -> [R, W]. Throws Error unless the sinusoids are in halves, their width is even and divides `columns`, and
// `columns` <= W; and on an x that is not dense or has other rows than the layout.
Var rotary(Context& c, const Var& x, const Layout& layout, SinusoidalPositions& sinusoids, int64_t columns);

}  // namespace heed
