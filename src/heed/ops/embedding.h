// From tokens to rows.
#pragma once

#include "heed/autograd/parameter.h"
#include "heed/ops/dropout.h"
#include "heed/tensor/layout.h"

namespace heed {

// The sinusoids of Vaswani et al. 2017, section 3.5: sine in even columns, cosine in odd ones. Grows as
// needed.
class SinusoidalPositions {
 public:
  explicit SinusoidalPositions(int64_t width) : width_(width) {}
  // [at least length, width] f32
  const Tensor& up_to(int64_t length);

 private:
  int64_t width_;
  Tensor table_;
};

struct EmbeddingOptions {
  float scale = 1.0f;                              // sqrt(d_model) in Vaswani et al. 2017, section 3.4
  const Parameter* positions = nullptr;            // [longest, D] learned positions, or
  std::shared_ptr<SinusoidalPositions> sinusoids;  // fixed ones, or neither
  DropoutSite dropout;
};

// y[r] = dropout(scale * table[ids[r]] + positions[position of r])  [R, D] in the context's precision.
// Throws InputError for an id outside the table or a sentence longer than there are positions.
Var embedding(Context& c, const TokenField& tokens, const Parameter& table,
              const EmbeddingOptions& options = {});

}  // namespace heed
