// A learned affine map.
#pragma once

#include "heed/nn/parameters.h"
#include "heed/ops/linear.h"

namespace heed {

struct LinearOptions {
  // Maps that stand on top of each other in one weight, which are initialised as if each stood alone.
  int64_t joined = 1;
  bool bias = true;
};

// y = x W^T + b; weight [out, in], bias [out].
class Linear {
 public:
  // The weight starts as Xavier's uniform, or as it is told; the bias at zero.
  Linear(ParameterStore& store, const std::string& name, int64_t in, int64_t out,
         const LinearOptions& options = {})
      : Linear(store, name, in, out, Initial::xavier(in, out / options.joined), options.bias) {}
  Linear(ParameterStore& store, const std::string& name, int64_t in, int64_t out, const Initial& initial,
         bool with_bias = true)
      : weight_(&store.add(name + ".weight", {out, in}, initial)),
        bias_(with_bias ? &store.add(name + ".bias", {out}, Initial::constant(0.0)) : nullptr) {}

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
