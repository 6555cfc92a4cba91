#include "heed/kernels/output.h"

#include "heed/ops/output.h"

namespace heed {
namespace {

// x *= factor; the loss's gradient was computed for d sum = 1.
void scale(Tensor& x, float factor) {
  if (factor == 1.0f) return;
  dispatch(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    T* values = x.data<T>();
    for (int64_t i = 0; i < x.size(); ++i) values[i] = T(static_cast<float>(values[i]) * factor);
  });
}

void check_input(const Tensor& x, const Parameter& weight) {
  require(x.width() == weight.shape().width(), "output {}: input of width {} for a weight of shape {}",
          weight.name(), x.width(), weight.shape().to_string());
  require(x.is_dense(), "output {}: the input must be dense", weight.name());
}

}  // namespace

OutputLoss output_loss(Context& c, const Var& x, const Parameter& weight, const Parameter* bias,
                       const std::vector<int32_t>& targets, double smoothing) {
  const int64_t rows = x.rows(), width = x.width(), words = weight.shape().rows();
  check_input(x.value, weight);
  require(static_cast<int64_t>(targets.size()) == rows, "output {}: {} targets for {} rows", weight.name(),
          targets.size(), rows);
  for (const int32_t target : targets) {
    if (target < 0 || target >= words)
      fail_input("target id {} is outside the vocabulary of {} words", target, words);
  }

  const bool recording = c.recording();
  const auto products = static_cast<double>(rows * width) * static_cast<double>(words);
  const ProfileScope scope(c.profile, recording ? "output, loss, gradient" : "output, loss",
                           (recording ? 6.0 : 2.0) * products,
                           static_cast<double>(size_of(x.value.dtype()) * (2 * rows + words) * width));
  OutputLoss loss;
  loss.row_loss = c.allocate(Shape{rows}, DType::f32);
  loss.log_prob = c.allocate(Shape{rows}, DType::f32);
  Tensor dx, d_weight, d_bias;
  if (recording) {
    dx = c.allocate(x.shape(), x.value.dtype());
    d_weight = c.allocate(weight.shape(), DType::f32);
    if (bias != nullptr) d_bias = c.allocate(bias->shape(), DType::f32);
  }
  dispatch(x.value.dtype(), [&](auto zero) {
    using T = decltype(zero);
    kernels::output_loss(
        c.pool, kernels::OutputLossArgs<T>{.rows = rows,
                                           .width = width,
                                           .words = words,
                                           .x = x.value.data<T>(),
                                           .weight = &weight.packed(c),
                                           .weight_back = recording ? &weight.packed_back(c) : nullptr,
                                           .bias = bias ? bias->value().data<float>() : nullptr,
                                           .targets = targets.data(),
                                           .smoothing = static_cast<float>(smoothing),
                                           .loss = loss.row_loss.data<float>(),
                                           .log_prob = loss.log_prob.data<float>(),
                                           .dx = recording ? dx.data<T>() : nullptr,
                                           .dweight = recording ? d_weight.data<float>() : nullptr,
                                           .dbias = d_bias ? d_bias.data<float>() : nullptr});
  });

  double sum = 0.0;  // f64: thousands of rows
  for (int64_t r = 0; r < rows; ++r) sum += loss.row_loss.data<float>()[r];
  loss.sum.value = c.allocate(Shape{1}, DType::f32);
  *loss.sum.value.data<float>() = static_cast<float>(sum);

  if (recording) {
    c.tape->record(loss.sum, [&weight, bias, dx, d_weight, d_bias, into = x.gradient](
                                 Context& c, const Tensor& d_sum) mutable {
      const float factor = d_sum.item();
      scale(d_weight, factor);
      weight.gradient().add(c, std::move(d_weight));
      if (bias != nullptr) {
        scale(d_bias, factor);
        bias->gradient().add(c, std::move(d_bias));
      }
      if (into) {
        scale(dx, factor);
        into->add(c, std::move(dx));
      }
    });
  }
  return loss;
}

TopWords output_top_k(Context& c, const Tensor& x, const Parameter& weight, const Parameter* bias, int64_t k,
                      std::span<const float> row_bias) {
  check_input(x, weight);
  const int64_t words = weight.shape().rows();
  require(k >= 1 && k <= words, "top-k: {} of {} words", k, words);
  require(row_bias.empty() || static_cast<int64_t>(row_bias.size()) == x.rows() * words,
          "top-k: {} biases for {} rows of {} words", row_bias.size(), x.rows(), words);
  TopWords top{std::vector<int32_t>(x.rows() * k), std::vector<float>(x.rows() * k)};
  dispatch(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    kernels::output_top_k(c.pool,
                          kernels::OutputTopKArgs<T>{.rows = x.rows(),
                                                     .width = x.width(),
                                                     .words = words,
                                                     .x = x.data<T>(),
                                                     .weight = &weight.packed(c),
                                                     .bias = bias ? bias->value().data<float>() : nullptr,
                                                     .row_bias = row_bias.empty() ? nullptr : row_bias.data(),
                                                     .k = k,
                                                     .ids = top.ids.data(),
                                                     .log_probs = top.log_probs.data()});
  });
  return top;
}

Tensor output_log_probs(Context& c, const Tensor& x, const Parameter& weight, const Parameter* bias) {
  check_input(x, weight);
  Tensor log_probs = c.allocate(Shape{x.rows(), weight.shape().rows()}, DType::f32);
  dispatch(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    kernels::output_log_probs(
        c.pool, kernels::OutputLogProbsArgs<T>{.rows = x.rows(),
                                               .width = x.width(),
                                               .words = weight.shape().rows(),
                                               .x = x.data<T>(),
                                               .weight = &weight.packed(c),
                                               .bias = bias ? bias->value().data<float>() : nullptr,
                                               .log_probs = log_probs.data<float>()});
  });
  return log_probs;
}

}  // namespace heed
