// Adam in f64, straight from the papers.
#pragma once

#include <cmath>
#include <vector>

#include "heed/train/optimiser.h"

namespace heed::test {

// Kingma & Ba 2015, algorithm 1, with the decoupled decay of Loshchilov & Hutter 2019, algorithm 2.
struct PlainAdam {
  const OptimiserConfig config;
  std::vector<double> weights, m, v;

  void step(const std::vector<float>& gradient, double scale, double rate, int t) {
    double norm = 0.0;
    for (const float g : gradient) norm += static_cast<double>(g) * g;
    norm = std::sqrt(norm) * scale;
    if (config.clip_norm > 0 && norm > config.clip_norm) scale *= config.clip_norm / norm;
    for (size_t i = 0; i < weights.size(); ++i) {
      const double g = gradient[i] * scale;
      m[i] = config.beta1 * m[i] + (1 - config.beta1) * g;
      v[i] = config.beta2 * v[i] + (1 - config.beta2) * g * g;
      const double m_hat = m[i] / (1 - std::pow(config.beta1, t)),
                   v_hat = v[i] / (1 - std::pow(config.beta2, t));
      weights[i] -= rate * (m_hat / (std::sqrt(v_hat) + config.epsilon) + config.weight_decay * weights[i]);
    }
  }
};

}  // namespace heed::test
