// Where a model drops out.
#pragma once

#include <string_view>

#include "heed/autograd/tape.h"
#include "heed/kernels/dropout.h"
#include "heed/tensor/layout.h"

namespace heed {

// A site in the model with its own random numbers (Srivastava et al. 2014). The site is a hash of its name,
// so that adding one elsewhere changes nothing here.
struct DropoutSite {
  float probability = 0.0f;
  uint64_t site = 0;

  DropoutSite() = default;
  // Throws Error unless 0 <= probability < 1.
  DropoutSite(std::string_view name, double probability);

  // What a kernel needs: nothing is dropped unless c is training.
  kernels::Dropout in(const Context& c) const {
    if (!c.training || probability == 0.0f) return {};
    return {probability, c.key(site)};
  }
};

// y = dropout(x); x itself when nothing is dropped.
Var dropout(Context& c, const Var& x, const DropoutSite& site, const Layout& layout);

}  // namespace heed
