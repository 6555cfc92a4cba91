#include "heed/ops/output.h"

#include <cmath>

#include "heed/kernels/reference/output.h"
#include "tests/ops/cases/cases.h"

namespace heed::test {
namespace {

constexpr int64_t kWords = 13;
constexpr int64_t kBest = 2;

std::vector<Operand> output_operands(const OpSize& size, bool bias) {
  std::vector<Operand> operands = {{"x", {size.rows(), size.width}},
                                   {"weight", {kWords, size.width}, Operand::Kind::parameter, 0.5}};
  if (bias) operands.push_back({"bias", {kWords}, Operand::Kind::parameter});
  return operands;
}

double output_flops(const OpSize& size) {
  return 2.0 * static_cast<double>(size.rows() * size.width * kWords);
}

kernels::reference::OutputArgs<double> plain_args(const OpSize& size, const std::vector<Values>& in) {
  return {.rows = size.rows(),
          .width = size.width,
          .words = kWords,
          .x = in[0].data(),
          .weight = in[1].data(),
          .weight_stride_k = 1,
          .weight_stride_n = size.width,
          .bias = in.size() > 2 ? in[2].data() : nullptr};
}

const Parameter* bias_of(const OpInputs& in) {
  return in.parameters.size() > 2 ? &in.parameter(2) : nullptr;
}

template <class T>
Var column(const std::vector<T>& values) {
  const std::vector<float> floats(values.begin(), values.end());
  return Var(Tensor::of({static_cast<int64_t>(values.size())}, floats));
}

OpCase loss_case(const std::string& name, bool bias, double smoothing) {
  return {name, [=](const OpSize& size) {
            std::vector<int32_t> targets;
            for (int64_t r = 0; r < size.rows(); ++r) {
              targets.push_back(static_cast<int32_t>(uniform_below(5, static_cast<uint64_t>(r), kWords)));
            }
            OpInstance made;
            made.operands = output_operands(size, bias);
            made.run = [=](Context& c, const OpInputs& in) {
              const OutputLoss loss =
                  output_loss(c, in.var(0), in.parameter(1), bias_of(in), targets, smoothing);
              return std::vector{loss.sum, Var(loss.row_loss), Var(loss.log_prob)};
            };
            made.plain = [=](const std::vector<Values>& in) {
              Values row_loss(size.rows()), log_prob(size.rows());
              kernels::reference::output_loss<double>({plain_args(size, in), targets.data(),
                                                       static_cast<float>(smoothing), row_loss.data(),
                                                       log_prob.data(), nullptr, nullptr, nullptr});
              double sum = 0;
              for (const double loss : row_loss) sum += loss;
              return std::vector<Values>{Values{sum}, row_loss, log_prob};
            };
            made.flops = output_flops(size);
            return made;
          }};
}

OpCase r_drop_case(const std::string& name, bool bias, double smoothing, double alpha) {
  return {name, [=](const OpSize& size) {
            std::vector<int32_t> targets;
            for (int64_t r = 0; r < size.rows(); ++r) {
              targets.push_back(static_cast<int32_t>(uniform_below(6, static_cast<uint64_t>(r), kWords)));
            }
            OpInstance made;
            made.operands = output_operands(size, bias);
            made.operands.push_back({"second", {size.rows(), size.width}});
            const size_t second = made.operands.size() - 1;
            made.run = [=](Context& c, const OpInputs& in) {
              const OutputLoss loss =
                  r_drop_loss(c, in.var(0), in.var(second), in.parameter(1),
                              bias ? &in.parameter(2) : nullptr, targets, smoothing, alpha);
              return std::vector{loss.sum, Var(loss.row_loss), Var(loss.log_prob)};
            };
            made.plain = [=](const std::vector<Values>& in) {
              const auto log_probs_of = [&](const Values& x) {
                kernels::reference::OutputArgs<double> args = plain_args(size, in);
                args.x = x.data();
                args.bias = bias ? in[2].data() : nullptr;
                Values all(size.rows() * kWords);
                kernels::reference::output_log_probs<double>(args, all.data());
                return all;
              };
              const Values p = log_probs_of(in[0]), q = log_probs_of(in[second]);
              Values row_loss(size.rows()), log_prob(size.rows());
              double sum = 0;
              for (int64_t r = 0; r < size.rows(); ++r) {
                const double *lp = &p[r * kWords], *lq = &q[r * kWords];
                log_prob[r] = lp[targets[r]];
                row_loss[r] = -(1 - smoothing) * (lp[targets[r]] + lq[targets[r]]);
                for (int64_t w = 0; w < kWords; ++w) {
                  row_loss[r] -= smoothing / kWords * (lp[w] + lq[w]);
                  row_loss[r] += alpha / 2 * (std::exp(lp[w]) - std::exp(lq[w])) * (lp[w] - lq[w]);
                }
                sum += row_loss[r];
              }
              return std::vector<Values>{Values{sum}, row_loss, log_prob};
            };
            made.flops = 2 * output_flops(size);
            return made;
          }};
}

OpCase distillation_case(const std::string& name, bool bias, double smoothing, double share) {
  return {name, [=](const OpSize& size) {
            std::vector<int32_t> targets;
            Tensor taught = Tensor::empty({size.rows(), kWords});
            for (int64_t r = 0; r < size.rows(); ++r) {
              targets.push_back(static_cast<int32_t>(uniform_below(7, static_cast<uint64_t>(r), kWords)));
              double sum = 0;
              for (int64_t w = 0; w < kWords; ++w)
                sum += taught.row<float>(r)[w] =
                    static_cast<float>(uniform(mix64(8, static_cast<uint64_t>(r)), static_cast<uint64_t>(w)));
              for (int64_t w = 0; w < kWords; ++w) taught.row<float>(r)[w] /= static_cast<float>(sum);
            }
            OpInstance made;
            made.operands = output_operands(size, bias);
            made.run = [=](Context& c, const OpInputs& in) {
              const OutputLoss loss = distillation_loss(c, in.var(0), in.parameter(1), bias_of(in), targets,
                                                        smoothing, taught, share);
              return std::vector{loss.sum, Var(loss.row_loss), Var(loss.log_prob)};
            };
            made.plain = [=](const std::vector<Values>& in) {
              Values all(size.rows() * kWords), row_loss(size.rows()), log_prob(size.rows());
              kernels::reference::output_log_probs<double>(plain_args(size, in), all.data());
              double sum = 0;
              for (int64_t r = 0; r < size.rows(); ++r) {
                const double* p = &all[r * kWords];
                log_prob[r] = p[targets[r]];
                row_loss[r] = -(1 - share) * (1 - smoothing) * log_prob[r];
                for (int64_t w = 0; w < kWords; ++w)
                  row_loss[r] -= ((1 - share) * smoothing / kWords + share * taught.row<float>(r)[w]) * p[w];
                sum += row_loss[r];
              }
              return std::vector<Values>{Values{sum}, row_loss, log_prob};
            };
            made.flops = output_flops(size);
            return made;
          }};
}

OpCase top_k_case(const std::string& name, bool bias, bool row_bias) {
  return {
      name, [=](const OpSize& size) {
        // Word r of row r is forbidden.
        std::vector<float> forbidden(row_bias ? size.rows() * kWords : 0, 0.0f);
        for (int64_t r = 0; row_bias && r < size.rows(); ++r) {
          forbidden[r * kWords + r % kWords] = -std::numeric_limits<float>::infinity();
        }
        OpInstance made;
        made.operands = output_operands(size, bias);
        made.run = [=](Context& c, const OpInputs& in) {
          const TopWords top = output_top_k(c, in.tensor(0), in.parameter(1), bias_of(in), kBest, forbidden);
          return std::vector{column(top.log_probs), column(top.ids)};
        };
        made.plain = [=](const std::vector<Values>& in) {
          const std::vector<double> added(forbidden.begin(), forbidden.end());
          std::vector<int32_t> ids(size.rows() * kBest);
          Values log_probs(size.rows() * kBest);
          kernels::reference::output_top_k<double>(plain_args(size, in), row_bias ? added.data() : nullptr,
                                                   kBest, ids.data(), log_probs.data());
          return std::vector<Values>{log_probs, Values(ids.begin(), ids.end())};
        };
        made.flops = output_flops(size);
        return made;
      }};
}

OpCase log_probs_case(const std::string& name, bool bias) {
  return {name, [=](const OpSize& size) {
            OpInstance made;
            made.operands = output_operands(size, bias);
            made.run = [=](Context& c, const OpInputs& in) {
              return std::vector{Var(output_log_probs(c, in.tensor(0), in.parameter(1), bias_of(in)))};
            };
            made.plain = [=](const std::vector<Values>& in) {
              Values all(size.rows() * kWords);
              kernels::reference::output_log_probs<double>(plain_args(size, in), all.data());
              return std::vector<Values>{all};
            };
            made.flops = output_flops(size);
            return made;
          }};
}

}  // namespace

std::vector<Op> output_ops() {
  return {
      {"output_loss",
       "output.h",
       "sum over rows of -(1 - s) log p(target) - s/V sum log p(word), p = softmax(x W^T + b)",
       true,
       {loss_case("plain", false, 0.0), loss_case("bias", true, 0.0), loss_case("smoothed", true, 0.1)}},
      {"r_drop_loss",
       "output.h",
       "sum over rows of CE(p) + CE(q) + alpha/2 (KL(p, q) + KL(q, p)), p and q of two passes",
       true,
       {r_drop_case("plain", false, 0.0, 1.0), r_drop_case("bias, smoothed", true, 0.1, 5.0)}},
      {"distillation_loss",
       "output.h",
       "(1 - share) times output_loss, less share times the sum over rows and words of taught log p",
       true,
       {distillation_case("plain", false, 0.0, 1.0), distillation_case("bias, smoothed", true, 0.1, 0.7)}},
      {"output_top_k",
       "output.h",
       "the k best words of each row by log p(word) + row bias",
       false,
       {top_k_case("plain", false, false), top_k_case("forbidden words", true, true)}},
      {"output_log_probs",
       "output.h",
       "log p(word) of every word",
       false,
       {log_probs_case("plain", false), log_probs_case("bias", true)}}};
}

}  // namespace heed::test
