// From tokens to rows.
#pragma once

#include "heed/autograd/parameter.h"
#include "heed/ops/dropout.h"
#include "heed/tensor/layout.h"

namespace heed {

struct EmbeddingOptions {
  float scale = 1.0f;                       // sqrt(d_model) in Vaswani et al. 2017, section 3.4
  const Parameter* positions = nullptr;     // [longest, D] learned positions, or
  const Tensor* fixed_positions = nullptr;  // [longest, D] f32, such as sinusoids; or neither
  DropoutSite dropout;
};

// y[r] = dropout(scale * table[ids[r]] + positions[position of r])  [R, D] in the context's precision.
// Throws InputError for an id outside the table or a sentence longer than there are positions.
Var embedding(Context& c, const TokenField& tokens, const Parameter& table,
              const EmbeddingOptions& options = {});

// The sinusoids of Vaswani et al. 2017, section 3.5: [length, width] f32, sine in even columns, cosine in odd
// ones.
Tensor sinusoidal_positions(int64_t length, int64_t width);

}  // namespace heed
