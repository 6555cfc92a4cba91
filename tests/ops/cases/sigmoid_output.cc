#include "heed/ops/sigmoid_output.h"

#include <cmath>

#include "tests/ops/cases/cases.h"

namespace heed::test {
namespace {

std::vector<Operand> operands_of(const OpSize& size) {
  return {{"x", {size.rows(), size.width}},
          {"weight", {1, size.width}, Operand::Kind::parameter, 0.5},
          {"bias", {1}, Operand::Kind::parameter}};
}

// The probability of class 1 for each row.
Values probabilities(const OpSize& size, const std::vector<Values>& in) {
  Values p;
  for (int64_t r = 0; r < size.rows(); ++r) {
    double z = in[2][0];
    for (int64_t j = 0; j < size.width; ++j) z += in[0][r * size.width + j] * in[1][j];
    p.push_back(1 / (1 + std::exp(-z)));
  }
  return p;
}

OpCase loss_case(const std::string& name, double smoothing) {
  return {name, [=](const OpSize& size) {
            std::vector<int32_t> targets;
            for (int64_t r = 0; r < size.rows(); ++r)
              targets.push_back(static_cast<int32_t>(uniform_below(5, static_cast<uint64_t>(r), 2)));
            OpInstance made;
            made.operands = operands_of(size);
            made.run = [=](Context& c, const OpInputs& in) {
              const OutputLoss loss =
                  sigmoid_loss(c, in.var(0), in.parameter(1), in.parameter(2), targets, smoothing);
              return std::vector{loss.sum, Var(loss.row_loss), Var(loss.log_prob)};
            };
            made.plain = [=](const std::vector<Values>& in) {
              const Values p = probabilities(size, in);
              Values row_loss, log_prob;
              double sum = 0;
              for (size_t r = 0; r < p.size(); ++r) {
                const double wanted = targets[r] == 1 ? 1 - smoothing / 2 : smoothing / 2;
                row_loss.push_back(-wanted * std::log(p[r]) - (1 - wanted) * std::log(1 - p[r]));
                log_prob.push_back(std::log(targets[r] == 1 ? p[r] : 1 - p[r]));
                sum += row_loss.back();
              }
              return std::vector<Values>{Values{sum}, row_loss, log_prob};
            };
            made.flops = 2.0 * static_cast<double>(size.rows() * size.width);
            return made;
          }};
}

OpCase log_probs_case() {
  return {"plain", [](const OpSize& size) {
            OpInstance made;
            made.operands = operands_of(size);
            made.run = [=](Context& c, const OpInputs& in) {
              return std::vector{Var(sigmoid_log_probs(c, in.tensor(0), in.parameter(1), in.parameter(2)))};
            };
            made.plain = [=](const std::vector<Values>& in) {
              Values all;
              for (const double p : probabilities(size, in)) {
                all.push_back(std::log(1 - p));
                all.push_back(std::log(p));
              }
              return std::vector<Values>{all};
            };
            made.flops = 2.0 * static_cast<double>(size.rows() * size.width);
            return made;
          }};
}

}  // namespace

std::vector<Op> sigmoid_output_ops() {
  return {{"sigmoid_loss",
           "sigmoid_output.h",
           "sum over rows of -y log p - (1 - y) log(1 - p), p = sigmoid(x w + b)",
           true,
           {loss_case("plain", 0.0), loss_case("smoothed", 0.1)}},
          {"sigmoid_log_probs", "sigmoid_output.h", "log(1 - p) and log p", false, {log_probs_case()}}};
}

}  // namespace heed::test
