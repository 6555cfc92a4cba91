#include "heed/ops/output.h"

#include <algorithm>
#include <cmath>
#include <initializer_list>
#include <memory>
#include <optional>

#include "heed/kernels/matmul.h"
#include "heed/kernels/output.h"
#include "heed/ops/bias.h"

namespace heed {
namespace {

// x * factor, in place: the loss's gradient was computed for d sum = 1.
Tensor scaled(Tensor x, float factor) {
  if (factor == 1.0f) return x;
  dispatch(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    T* values = x.data<T>();
    for (int64_t i = 0; i < x.size(); ++i) values[i] = T(static_cast<float>(values[i]) * factor);
  });
  return x;
}

void check_input(const Tensor& x, const Parameter& weight, const Parameter* bias) {
  require(x.width() == weight.shape().width(), "output {}: input of width {} for a weight of shape {}",
          weight.name(), x.width(), weight.shape().to_string());
  require(x.is_dense(), "output {}: the input must be dense", weight.name());
  require_bias("output", weight, bias, weight.shape().rows());
}

void check_targets(const std::vector<int32_t>& targets, int64_t words) {
  for (const int32_t target : targets) {
    if (target < 0 || target >= words)
      fail_input("target id {} is outside the vocabulary of {} words", target, words);
  }
}

// Rows whose log-probabilities and gradients by the logits are held at once.
constexpr int64_t kBlockRows = 256;

struct RowLoss {
  double loss, log_prob;
};

// One row of both passes: its loss, and the loss's gradient by the logits of each pass.
template <class T>
RowLoss row_of(const float* log_p, const float* log_q, int64_t words, int32_t target, double smoothing,
               double alpha, T* d_first, T* d_second) {
  std::vector<float> p(static_cast<size_t>(words)), q(p);
  double kl_pq = 0.0, kl_qp = 0.0, sum_p = 0.0, sum_q = 0.0;
  for (int64_t w = 0; w < words; ++w) {
    p[w] = std::exp(log_p[w]);
    q[w] = std::exp(log_q[w]);
    const double difference = static_cast<double>(log_p[w]) - static_cast<double>(log_q[w]);
    kl_pq += p[w] * difference;
    kl_qp -= q[w] * difference;
    sum_p += log_p[w];
    sum_q += log_q[w];
  }
  const double spread = smoothing / static_cast<double>(words);
  if (d_first != nullptr) {
    // d KL(p || q) / d logits of p = p (log p - log q - KL); d KL(q || p) / d the same = p - q.
    const auto of_word = static_cast<float>(spread), half = static_cast<float>(0.5 * alpha),
               of_pq = static_cast<float>(kl_pq), of_qp = static_cast<float>(kl_qp);
    const auto d_p = [&](int64_t w, float wanted) {
      return p[w] - wanted + half * (p[w] * (log_p[w] - log_q[w] - of_pq) + p[w] - q[w]);
    };
    const auto d_q = [&](int64_t w, float wanted) {
      return q[w] - wanted + half * (q[w] * (log_q[w] - log_p[w] - of_qp) + q[w] - p[w]);
    };
    for (int64_t w = 0; w < words; ++w) {
      d_first[w] = T(d_p(w, of_word));
      d_second[w] = T(d_q(w, of_word));
    }
    const auto of_target = static_cast<float>(spread + 1.0 - smoothing);
    d_first[target] = T(d_p(target, of_target));
    d_second[target] = T(d_q(target, of_target));
  }
  const double nll = -static_cast<double>(log_p[target]) - static_cast<double>(log_q[target]);
  return {(1.0 - smoothing) * nll - spread * (sum_p + sum_q) + 0.5 * alpha * (kl_pq + kl_qp), log_p[target]};
}

// The gradients of a loss, computed along with it for d sum = 1, until the backward pass fetches them.
struct HeldGradients {
  const Parameter* weight;
  const Parameter* bias;  // or null
  Tensor d_weight, d_bias;
  std::vector<Tensor> d_inputs;  // of each pass [R, D]
  std::vector<std::shared_ptr<Gradient>> into;
};

HeldGradients hold(Context& c, const Parameter& weight, const Parameter* bias,
                   std::initializer_list<const Var*> inputs) {
  // Of no rows they are zeros, which no block of rows then writes.
  const bool none = (*inputs.begin())->rows() == 0;
  const auto room = [&](const Shape& shape) {
    return none ? c.zeros(shape, DType::f32) : c.allocate(shape, DType::f32);
  };
  HeldGradients held{&weight, bias, room(weight.shape()), {}, {}, {}};
  if (bias != nullptr) held.d_bias = room(bias->shape());
  for (const Var* input : inputs) {
    held.d_inputs.push_back(c.allocate(input->shape(), input->value.dtype()));
    held.into.push_back(input->gradient);
  }
  return held;
}

void record(Context& c, Var& sum, HeldGradients gradients) {
  c.tape->record(sum, [held = std::move(gradients)](Context& c, const Tensor& d_sum) mutable {
    const float factor = d_sum.item();
    held.weight->gradient().add(c, scaled(std::move(held.d_weight), factor));
    if (held.bias != nullptr) held.bias->gradient().add(c, scaled(std::move(held.d_bias), factor));
    for (size_t i = 0; i < held.into.size(); ++i)
      if (held.into[i]) held.into[i]->add(c, scaled(std::move(held.d_inputs[i]), factor));
  });
}

// log softmax(x W^T + b) of all words, into [R, V].
void write_log_probs(Context& c, const Tensor& x, const Parameter& weight, const Parameter* bias,
                     const Tensor& log_probs) {
  check_input(x, weight, bias);
  const int64_t words = weight.shape().rows();
  const ProfileScope scope(c.profile, "output, log-probabilities",
                           2.0 * static_cast<double>(x.rows() * x.width()) * static_cast<double>(words),
                           static_cast<double>(size_of(x.dtype()) * (x.rows() + words) * x.width()));
  dispatch(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    kernels::output_log_probs(c.pool, kernels::OutputLogProbsArgs<T>{.rows = x.rows(),
                                                                     .width = x.width(),
                                                                     .words = words,
                                                                     .x = x.data<T>(),
                                                                     .weight = &weight.packed(c),
                                                                     .bias = data_or_null(bias),
                                                                     .log_probs = log_probs.data<float>()});
  });
}

// kBlockRows rows of a pass, fewer at its end.
struct RowBlock {
  Tensor x, log_probs, d_logits;  // [rows, D], [rows, V] and, when recording, [rows, V]
};
// One after the other, in the same memory.
class RowBlocks {
 public:
  RowBlocks(Context& c, const Tensor& x, const Parameter& weight, const Parameter* bias)
      : weight_(weight),
        bias_(bias),
        x_(x),
        log_probs_(c.allocate(Shape{std::min(kBlockRows, x.rows()), weight.shape().rows()}, DType::f32)) {
    if (c.recording()) d_logits_ = c.allocate(log_probs_.shape(), x.dtype());
  }
  RowBlock from(Context& c, int64_t begin) const {
    const int64_t rows = std::min(kBlockRows, x_.rows() - begin);
    RowBlock block{x_.row_range(begin, begin + rows), log_probs_.row_range(0, rows),
                   d_logits_ ? d_logits_.row_range(0, rows) : Tensor()};
    write_log_probs(c, block.x, weight_, bias_, block.log_probs);
    return block;
  }

 private:
  const Parameter& weight_;
  const Parameter* bias_;
  Tensor x_, log_probs_, d_logits_;
};

OutputLoss loss_of_rows(Context& c, int64_t rows) {
  OutputLoss loss;
  loss.row_loss = c.allocate(Shape{rows}, DType::f32);
  loss.log_prob = c.allocate(Shape{rows}, DType::f32);
  return loss;
}

void add_up(Context& c, OutputLoss& loss) {
  double sum = 0.0;  // f64: thousands of rows
  for (int64_t r = 0; r < loss.row_loss.size(); ++r) sum += loss.row_loss.data<float>()[r];
  loss.sum.value = c.allocate(Shape{1}, DType::f32);
  *loss.sum.value.data<float>() = static_cast<float>(sum);
}

// For rows begin .. of a pass whose logits have the gradient d and were made from x: their dx = d W, and
// dW += d^T x.
template <class T>
void propagate(Context& c, const Tensor& d, const Tensor& x, int64_t begin, HeldGradients& held,
               size_t pass) {
  Tensor dx = held.d_inputs[pass].row_range(begin, begin + x.rows());
  kernels::matmul(c.pool, kernels::MatmulArgs<T>{.x = d.data<T>(),
                                                 .x_stride = d.row_stride(),
                                                 .rows = d.rows(),
                                                 .b = &held.weight->packed_back(c),
                                                 .y = dx.data<T>(),
                                                 .y_stride = dx.row_stride()});
  kernels::weight_gradient(
      c.pool, kernels::WeightGradientArgs<T>{.dy = d.data<T>(),
                                             .dy_stride = d.row_stride(),
                                             .x = x.data<T>(),
                                             .x_stride = x.row_stride(),
                                             .rows = x.rows(),
                                             .inner = x.width(),
                                             .outer = d.width(),
                                             .accumulate = begin > 0 || pass > 0,
                                             .dw = held.d_weight.data<float>(),
                                             .dbias = held.bias ? held.d_bias.data<float>() : nullptr});
}

}  // namespace

OutputLoss output_loss(Context& c, const Var& x, const Parameter& weight, const Parameter* bias,
                       const std::vector<int32_t>& targets, double smoothing) {
  const int64_t rows = x.rows(), width = x.width(), words = weight.shape().rows();
  check_input(x.value, weight, bias);
  require(static_cast<int64_t>(targets.size()) == rows, "output {}: {} targets for {} rows", weight.name(),
          targets.size(), rows);
  check_targets(targets, words);

  const bool recording = c.recording();
  const auto products = static_cast<double>(rows * width) * static_cast<double>(words);
  const ProfileScope scope(c.profile, recording ? "output, loss, gradient" : "output, loss",
                           (recording ? 6.0 : 2.0) * products,
                           static_cast<double>(size_of(x.value.dtype()) * (2 * rows + words) * width));
  OutputLoss loss = loss_of_rows(c, rows);
  std::optional<HeldGradients> held;
  if (recording) held = hold(c, weight, bias, {&x});
  dispatch(x.value.dtype(), [&](auto zero) {
    using T = decltype(zero);
    kernels::output_loss(
        c.pool, kernels::OutputLossArgs<T>{.rows = rows,
                                           .width = width,
                                           .words = words,
                                           .x = x.value.data<T>(),
                                           .weight = &weight.packed(c),
                                           .weight_back = recording ? &weight.packed_back(c) : nullptr,
                                           .bias = data_or_null(bias),
                                           .targets = targets.data(),
                                           .smoothing = static_cast<float>(smoothing),
                                           .loss = loss.row_loss.data<float>(),
                                           .log_prob = loss.log_prob.data<float>(),
                                           .dx = held ? held->d_inputs.front().data<T>() : nullptr,
                                           .dweight = held ? held->d_weight.data<float>() : nullptr,
                                           .dbias = held && bias ? held->d_bias.data<float>() : nullptr});
  });
  add_up(c, loss);
  if (held) record(c, loss.sum, std::move(*held));
  return loss;
}

OutputLoss r_drop_loss(Context& c, const Var& first, const Var& second, const Parameter& weight,
                       const Parameter* bias, const std::vector<int32_t>& targets, double smoothing,
                       double alpha) {
  const int64_t rows = first.rows(), words = weight.shape().rows();
  require(first.shape() == second.shape() && static_cast<int64_t>(targets.size()) == rows,
          "r-drop: passes of shapes {} and {} with {} targets", first.shape().to_string(),
          second.shape().to_string(), targets.size());
  check_targets(targets, words);

  const bool recording = c.recording();
  OutputLoss loss = loss_of_rows(c, rows);
  std::optional<HeldGradients> held;
  if (recording) held = hold(c, weight, bias, {&first, &second});
  const RowBlocks first_blocks(c, first.value, weight, bias), second_blocks(c, second.value, weight, bias);
  for (int64_t begin = 0; begin < rows; begin += kBlockRows) {
    const RowBlock p = first_blocks.from(c, begin), q = second_blocks.from(c, begin);
    const ProfileScope scope(c.profile, "r-drop", 0.0, 0.0);
    dispatch(first.value.dtype(), [&](auto zero) {
      using T = decltype(zero);
      c.pool.run(p.x.rows(), [&](int64_t r) {
        const RowLoss row = row_of<T>(
            p.log_probs.row<float>(r), q.log_probs.row<float>(r), words, targets[begin + r], smoothing, alpha,
            recording ? p.d_logits.row<T>(r) : nullptr, recording ? q.d_logits.row<T>(r) : nullptr);
        loss.row_loss.data<float>()[begin + r] = static_cast<float>(row.loss);
        loss.log_prob.data<float>()[begin + r] = static_cast<float>(row.log_prob);
      });
      if (recording) {
        propagate<T>(c, p.d_logits, p.x, begin, *held, 0);
        propagate<T>(c, q.d_logits, q.x, begin, *held, 1);
      }
    });
  }
  add_up(c, loss);
  if (held) record(c, loss.sum, std::move(*held));
  return loss;
}

OutputLoss distillation_loss(Context& c, const Var& x, const Parameter& weight, const Parameter* bias,
                             const std::vector<int32_t>& targets, double smoothing, const Tensor& taught,
                             double share) {
  const int64_t rows = x.rows(), words = weight.shape().rows();
  require(static_cast<int64_t>(targets.size()) == rows && taught.shape() == Shape({rows, words}) &&
              taught.dtype() == DType::f32,
          "distillation: {} rows and {} words with {} targets and taught probabilities of shape {}", rows,
          words, targets.size(), taught.shape().to_string());
  check_targets(targets, words);

  const bool recording = c.recording();
  OutputLoss loss = loss_of_rows(c, rows);
  std::optional<HeldGradients> held;
  if (recording) held = hold(c, weight, bias, {&x});
  const double of_target = (1.0 - share) * (1.0 - smoothing),
               of_word = (1.0 - share) * smoothing / static_cast<double>(words);
  const RowBlocks blocks(c, x.value, weight, bias);
  for (int64_t begin = 0; begin < rows; begin += kBlockRows) {
    const RowBlock block = blocks.from(c, begin);
    const ProfileScope scope(c.profile, "distillation", 0.0, 0.0);
    dispatch(x.value.dtype(), [&](auto zero) {
      using T = decltype(zero);
      c.pool.run(block.x.rows(), [&](int64_t r) {
        const float *log_probs = block.log_probs.row<float>(r), *q = taught.row<float>(begin + r);
        const int32_t target = targets[begin + r];
        T* d_logits = recording ? block.d_logits.row<T>(r) : nullptr;
        double row_loss = 0.0;
        for (int64_t w = 0; w < words; ++w) {
          const double wanted = share * q[w] + of_word + (w == target ? of_target : 0.0);
          row_loss -= wanted * log_probs[w];
          if (recording) d_logits[w] = T(std::exp(log_probs[w]) - static_cast<float>(wanted));
        }
        loss.row_loss.data<float>()[begin + r] = static_cast<float>(row_loss);
        loss.log_prob.data<float>()[begin + r] = log_probs[target];
      });
      if (recording) propagate<T>(c, block.d_logits, block.x, begin, *held, 0);
    });
  }
  add_up(c, loss);
  if (held) record(c, loss.sum, std::move(*held));
  return loss;
}

TopWords output_top_k(Context& c, const Tensor& x, const Parameter& weight, const Parameter* bias, int64_t k,
                      std::span<const float> row_bias) {
  check_input(x, weight, bias);
  const int64_t words = weight.shape().rows();
  require(k >= 1 && k <= words, "top-k: {} of {} words", k, words);
  require(row_bias.empty() || static_cast<int64_t>(row_bias.size()) == x.rows() * words,
          "top-k: {} biases for {} rows of {} words", row_bias.size(), x.rows(), words);
  const ProfileScope scope(c.profile, "output, best words",
                           2.0 * static_cast<double>(x.rows() * x.width()) * static_cast<double>(words),
                           static_cast<double>(size_of(x.dtype()) * (x.rows() + words) * x.width()));
  TopWords top{std::vector<int32_t>(x.rows() * k), std::vector<float>(x.rows() * k)};
  dispatch(x.dtype(), [&](auto zero) {
    using T = decltype(zero);
    kernels::output_top_k(c.pool,
                          kernels::OutputTopKArgs<T>{.rows = x.rows(),
                                                     .width = x.width(),
                                                     .words = words,
                                                     .x = x.data<T>(),
                                                     .weight = &weight.packed(c),
                                                     .bias = data_or_null(bias),
                                                     .row_bias = row_bias.empty() ? nullptr : row_bias.data(),
                                                     .k = k,
                                                     .ids = top.ids.data(),
                                                     .log_probs = top.log_probs.data()});
  });
  return top;
}

Tensor output_log_probs(Context& c, const Tensor& x, const Parameter& weight, const Parameter* bias) {
  Tensor log_probs = c.allocate(Shape{x.rows(), weight.shape().rows()}, DType::f32);
  write_log_probs(c, x, weight, bias, log_probs);
  return log_probs;
}

}  // namespace heed
