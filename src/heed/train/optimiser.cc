#include "heed/train/optimiser.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "heed/kernels/layer.h"
#include "heed/kernels/optimiser.h"

namespace heed {

void OptimiserConfig::visit(ConfigVisitor& v) {
  v("learning_rate", learning_rate, "the highest learning rate (noam: the factor before the formula)",
    between(0, 100));
  v("schedule", schedule, {"inverse_sqrt", "noam", "cosine", "constant"},
    "how the rate moves after the warm-up");
  v("warmup", warmup, "updates over which the rate rises from 0", between(0, 1e9));
  v("final_rate", final_rate, "cosine: the rate at the end, be it of train.updates or train.epochs",
    between(0, 100));
  v("beta1", beta1, "Adam: decay of the mean of gradients", between(0, 0.999999));
  v("beta2", beta2, "Adam: decay of the mean of squared gradients", between(0, 0.999999));
  v("epsilon", epsilon, "Adam: added to the root of the mean square", between(1e-16, 1));
  v("weight_decay", weight_decay, "AdamW: decoupled weight decay", between(0, 10));
  v("clip_norm", clip_norm, "gradients are scaled down to this norm; 0: never", between(0, 1e9));
}

double learning_rate(const OptimiserConfig& config, int64_t update, double updates, int64_t width) {
  const auto t = static_cast<double>(update),
             warmup = static_cast<double>(std::max<int64_t>(config.warmup, 1));
  if (config.schedule == Schedule::noam) {
    return config.learning_rate / std::sqrt(static_cast<double>(width)) *
           std::min(1.0 / std::sqrt(t), t * std::pow(warmup, -1.5));
  }
  if (update < config.warmup) return config.learning_rate * t / warmup;
  if (config.schedule == Schedule::inverse_sqrt) return config.learning_rate * std::sqrt(warmup / t);
  if (config.schedule == Schedule::cosine) {
    const double done = std::clamp((t - warmup) / std::max(updates - warmup, 1.0), 0.0, 1.0);
    return config.final_rate +
           (config.learning_rate - config.final_rate) * 0.5 * (1.0 + std::cos(std::numbers::pi * done));
  }
  return config.learning_rate;
}

Adam::Adam(const OptimiserConfig& config, ParameterStore& parameters)
    : config_(config), parameters_(parameters) {
  for (const auto& parameter : parameters.all()) {
    m_.push_back(Tensor::zeros(parameter->shape()));
    v_.push_back(Tensor::zeros(parameter->shape()));
  }
}

double Adam::step(Context& c, const Gradients& gradients, double scale, double rate, int64_t update) {
  double numbers = 0.0;
  for (const Tensor& gradient : gradients) numbers += gradient ? static_cast<double>(gradient.size()) : 0.0;
  const ProfileScope scope(c.profile, "adam", 12.0 * numbers, 32.0 * numbers);
  double squares = 0.0;
  for (const Tensor& gradient : gradients) {
    if (gradient) squares += kernels::squared_norm(c.pool, gradient.size(), gradient.data<float>());
  }
  const double norm = std::sqrt(squares) * scale;
  if (!std::isfinite(norm)) return norm;
  if (config_.clip_norm > 0.0 && norm > config_.clip_norm) scale *= config_.clip_norm / norm;

  for (size_t i = 0; i < gradients.size(); ++i) {
    if (!gradients[i]) continue;
    Parameter& parameter = *parameters_.all()[i];
    kernels::adam(c.pool, {.size = parameter.value().size(),
                           .weight = parameter.value().data<float>(),
                           .gradient = gradients[i].data<float>(),
                           .m = m_[i].data<float>(),
                           .v = v_[i].data<float>(),
                           .gradient_scale = static_cast<float>(scale),
                           .rate = static_cast<float>(rate),
                           .beta1 = static_cast<float>(config_.beta1),
                           .beta2 = static_cast<float>(config_.beta2),
                           .epsilon = static_cast<float>(config_.epsilon),
                           .decay = static_cast<float>(config_.weight_decay),
                           .correction1 = static_cast<float>(1.0 - std::pow(config_.beta1, update)),
                           .correction2 = static_cast<float>(1.0 - std::pow(config_.beta2, update))});
    parameter.forget_packed();
  }
  return norm;
}

void GradientTree::add(Context& c, Gradients gradients) {
  partials_.push_back({0, std::move(gradients)});
  while (partials_.size() >= 2 && partials_[partials_.size() - 2].level == partials_.back().level)
    merge_last_two(c);
}

Gradients GradientTree::sum(Context& c) {
  require(!partials_.empty(), "the sum of no gradients");
  while (partials_.size() >= 2) merge_last_two(c);
  Gradients sum = std::move(partials_.front().gradients);
  partials_.clear();
  return sum;
}

void GradientTree::merge_last_two(Context& c) {
  const Gradients right = std::move(partials_.back().gradients);
  partials_.pop_back();
  Partial& left = partials_.back();
  ++left.level;
  for (size_t i = 0; i < right.size(); ++i) {
    if (!right[i]) continue;
    if (!left.gradients[i]) {
      left.gradients[i] = right[i];
    } else {
      kernels::add_to(c.pool, right[i].size(), right[i].data<float>(), left.gradients[i].data<float>());
    }
  }
}

Gradients take_gradients(Context& c, ParameterStore& parameters) {
  Gradients gradients;
  for (const auto& parameter : parameters.all()) gradients.push_back(parameter->gradient().take(c));
  return gradients;
}

}  // namespace heed
