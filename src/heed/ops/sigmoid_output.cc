#include "heed/ops/sigmoid_output.h"

#include <algorithm>
#include <cmath>

namespace heed {
namespace {

void check(const Tensor& x, const Parameter& weight, const Parameter& bias) {
  require(weight.shape() == (Shape{1, x.width()}) && bias.value().size() == 1,
          "sigmoid output {}: input of width {} for a weight of shape {} and {} biases", weight.name(),
          x.width(), weight.shape().to_string(), bias.value().size());
}

// z of every row. A row is a few hundred products: loops are enough.
std::vector<double> numbers_of(const Tensor& x, const Parameter& weight, const Parameter& bias) {
  const float* w = weight.value().data<float>();
  std::vector<double> z(static_cast<size_t>(x.rows()), *bias.value().data<float>());
  dispatch(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for (int64_t r = 0; r < x.rows(); ++r) {
      const T* row = x.row<T>(r);
      for (int64_t j = 0; j < x.width(); ++j)
        z[static_cast<size_t>(r)] +=
            static_cast<double>(static_cast<float>(row[j])) * static_cast<double>(w[j]);
    }
  });
  return z;
}

// log sigmoid(z)
double log_sigmoid(double z) {
  return std::min(z, 0.0) - std::log1p(std::exp(-std::abs(z)));
}

}  // namespace

OutputLoss sigmoid_loss(Context& c, const Var& x, const Parameter& weight, const Parameter& bias,
                        const std::vector<int32_t>& targets, double smoothing) {
  check(x.value, weight, bias);
  const int64_t rows = x.rows(), width = x.width();
  require(static_cast<int64_t>(targets.size()) == rows, "sigmoid output {}: {} targets for {} rows",
          weight.name(), targets.size(), rows);
  for (const int32_t target : targets) {
    if (target != 0 && target != 1)
      fail_input("class {}: a sigmoid tells two classes apart, 0 and 1", target);
  }
  const std::vector<double> z = numbers_of(x.value, weight, bias);
  OutputLoss loss;
  loss.row_loss = c.allocate(Shape{rows}, DType::f32);
  loss.log_prob = c.allocate(Shape{rows}, DType::f32);
  loss.sum = Var(c.allocate(Shape{1}, DType::f32));
  std::vector<double> d_z(z.size());
  double sum = 0.0;
  for (size_t r = 0; r < z.size(); ++r) {
    const double wanted = targets[r] * (1.0 - smoothing) + 0.5 * smoothing;
    const double log_p = log_sigmoid(z[r]), log_not_p = log_sigmoid(-z[r]);
    const double row_loss = -(wanted * log_p + (1.0 - wanted) * log_not_p);
    loss.row_loss.data<float>()[r] = static_cast<float>(row_loss);
    loss.log_prob.data<float>()[r] = static_cast<float>(targets[r] == 1 ? log_p : log_not_p);
    d_z[r] = std::exp(log_p) - wanted;
    sum += row_loss;
  }
  *loss.sum.value.data<float>() = static_cast<float>(sum);
  if (!c.recording()) return loss;

  c.tape->record(loss.sum, [x, d_z, width, &weight, &bias](Context& c, const Tensor& d_sum) {
    const double factor = d_sum.item();
    const Tensor dx = c.allocate(x.shape(), x.value.dtype());
    const Tensor dw = c.allocate(weight.shape(), DType::f32), db = c.allocate(bias.shape(), DType::f32);
    const float* w = weight.value().data<float>();
    std::vector<double> w_sum(static_cast<size_t>(width));
    double b_sum = 0.0;
    dispatch(x.value.dtype(), [&](auto zero) {
      using T = decltype(zero);
      for (int64_t r = 0; r < x.rows(); ++r) {
        const double d = factor * d_z[static_cast<size_t>(r)];
        const T* row = x.value.row<T>(r);
        T* d_row = dx.row<T>(r);
        for (int64_t j = 0; j < width; ++j) {
          d_row[j] = T(static_cast<float>(d * static_cast<double>(w[j])));
          w_sum[static_cast<size_t>(j)] += d * static_cast<double>(static_cast<float>(row[j]));
        }
        b_sum += d;
      }
    });
    std::transform(w_sum.begin(), w_sum.end(), dw.data<float>(),
                   [](double v) { return static_cast<float>(v); });
    *db.data<float>() = static_cast<float>(b_sum);
    weight.gradient().add(c, dw);
    bias.gradient().add(c, db);
    if (x.gradient) x.gradient->add(c, dx);
  });
  return loss;
}

Tensor sigmoid_log_probs(Context& c, const Tensor& x, const Parameter& weight, const Parameter& bias) {
  check(x, weight, bias);
  const std::vector<double> z = numbers_of(x, weight, bias);
  Tensor log_probs = c.allocate(Shape{x.rows(), 2}, DType::f32);
  for (size_t r = 0; r < z.size(); ++r) {
    log_probs.data<float>()[2 * r] = static_cast<float>(log_sigmoid(-z[r]));
    log_probs.data<float>()[2 * r + 1] = static_cast<float>(log_sigmoid(z[r]));
  }
  return log_probs;
}

}  // namespace heed
