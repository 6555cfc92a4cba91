// Layer normalisation and the connection around a sub-layer.
#pragma once

#include "heed/nn/parameters.h"
#include "heed/ops/norm.h"

namespace heed {

// LayerNorm(x) = gain * (x - mean) / sqrt(variance + epsilon) + bias, over the width (Ba et al. 2016, eq. 4).
class LayerNorm {
 public:
  LayerNorm(ParameterStore& store, const std::string& name, int64_t width)
      : parameters_{&store.add(name + ".gain", {width}, Initial::constant(1.0)),
                    &store.add(name + ".bias", {width}, Initial::constant(0.0))} {}

  // x [R, D] -> [R, D]
  Var operator()(Context& c, const Var& x) const { return layer_norm(c, x, parameters_); }
  const NormParameters& parameters() const { return parameters_; }

 private:
  NormParameters parameters_;
};

// Residual connection and normalisation around a sub-layer:
//   post-norm (Vaswani et al. 2017, section 3.1)  LayerNorm(x + Dropout(Sublayer(x)))
//   pre-norm  (Xiong et al. 2020)                 x + Dropout(Sublayer(LayerNorm(x)))
class SublayerConnection {
 public:
  SublayerConnection(ParameterStore& store, const std::string& name, int64_t width, bool pre_norm,
                     double dropout)
      : norm_(store, name + ".norm", width), pre_norm_(pre_norm), dropout_(name + ".dropout", dropout) {}

  // x [R, D] -> [R, D]; sublayer maps a Var [R, D] to one of the same shape.
  template <class Sublayer>
  Var operator()(Context& c, const Var& x, const Layout& layout, Sublayer&& sublayer) const {
    if (pre_norm_) return residual(c, x, sublayer(norm_(c, x)), dropout_, layout);
    return residual_norm(c, x, sublayer(x), dropout_, layout, norm_.parameters());
  }

 private:
  LayerNorm norm_;
  bool pre_norm_;
  DropoutSite dropout_;
};

}  // namespace heed
