// A learned affine map.
#pragma once

#include <optional>
#include <string>

#include "heed/nn/parameters.h"
#include "heed/ops/linear.h"

namespace heed {

struct LinearOptions {
  // Maps that stand on top of each other in one weight, which are initialised as if each stood alone.
  int64_t joined = 1;
  bool bias = true;                     // starts at zero
  std::optional<Initial> initial = {};  // of the weight; none: Xavier's uniform
};

// y = x W^T + b; weight [out, in], bias [out].
class Linear {
 public:
  Linear(ParameterStore& store, const std::string& name, int64_t in, int64_t out,
         const LinearOptions& options = {})
      : weight_(&store.add(name + ".weight", {out, in},
                           options.initial.value_or(Initial::xavier(in, out / options.joined)))),
        bias_(options.bias ? &store.add(name + ".bias", {out}, Initial::constant(0.0)) : nullptr) {}

  // x [R, in] -> [R, out]
  Var operator()(Context& c, const Var& x, kernels::Activation act = kernels::Activation::none) const {
    return linear(c, x, *weight_, bias_, act);
  }
  const Parameter& weight() const { return *weight_; }

 private:
  const Parameter* weight_;
  const Parameter* bias_;
};

}  // namespace heed
