// Normalisation and the connection around a sub-layer.
#pragma once

#include "heed/nn/parameters.h"
#include "heed/ops/batch_norm.h"
#include "heed/ops/norm.h"

namespace heed {

enum class Normalisation {
  layer,  // over a row's width                      Ba et al. 2016, eq. 4
  batch   // over a column's rows, of the whole batch   Ioffe & Szegedy 2015
};

// Norm(x) = gain * (x - mean) / sqrt(variance + epsilon) + bias
class Norm {
 public:
  Norm(ParameterStore& store, const std::string& name, int64_t width,
       Normalisation kind = Normalisation::layer)
      : kind_(kind),
        layer_{&store.add(name + ".gain", {width}, Initial::constant(1.0)),
               &store.add(name + ".bias", {width}, Initial::constant(0.0))} {
    if (kind == Normalisation::layer) return;
    batch_ = {.gain = layer_.gain,
              .bias = layer_.bias,
              .running_mean = store.add_buffer(name + ".running_mean", {width}, 0.0f),
              .running_variance = store.add_buffer(name + ".running_variance", {width}, 1.0f)};
  }

  // x [R, D] -> [R, D]
  Var operator()(Context& c, const Var& x) const {
    return kind_ == Normalisation::layer ? layer_norm(c, x, layer_) : batch_norm(c, x, batch_);
  }
  // Norm(x + dropout(y))
  Var of_sum(Context& c, const Var& x, const Var& y, const DropoutSite& site, const Layout& layout) const {
    if (kind_ == Normalisation::layer) return residual_norm(c, x, y, site, layout, layer_);
    return batch_norm(c, residual(c, x, y, site, layout), batch_);
  }

 private:
  Normalisation kind_;
  NormParameters layer_;
  BatchNormParameters batch_;
};

struct ConnectionOptions {
  int64_t width = 512;  // D
  bool pre_norm = false;
  Normalisation normalisation = Normalisation::layer;
  double dropout = 0.0;
};

// Residual connection and normalisation around a sub-layer:
//   post-norm (Vaswani et al. 2017, section 3.1)  Norm(x + Dropout(Sublayer(x)))
//   pre-norm  (Xiong et al. 2020)                 x + Dropout(Sublayer(Norm(x)))
class SublayerConnection {
 public:
  SublayerConnection(ParameterStore& store, const std::string& name, const ConnectionOptions& options)
      : norm_(store, name + ".norm", options.width, options.normalisation),
        pre_norm_(options.pre_norm),
        dropout_(store.dropout_site(name + ".dropout", options.dropout)) {}

  // x [R, D] -> [R, D]; sublayer maps a Var [R, D] to one of the same shape.
  template <class Sublayer>
  Var operator()(Context& c, const Var& x, const Layout& layout, Sublayer&& sublayer) const {
    if (pre_norm_) return residual(c, x, sublayer(norm_(c, x)), dropout_, layout);
    return norm_.of_sum(c, x, sublayer(x), dropout_, layout);
  }

 private:
  Norm norm_;
  bool pre_norm_;
  DropoutSite dropout_;
};

}  // namespace heed
