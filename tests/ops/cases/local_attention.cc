// Attention to a window of the source.
#include "heed/ops/local_attention.h"

#include <cmath>

#include "heed/kernels/reference/local_attention.h"
#include "tests/ops/cases/cases.h"

namespace heed::test {
namespace {

struct LocalCase {
  bool predicts = false;  // local-p
  bool additive = false;
  bool scaled = false;
};

// Source sentences of other lengths than the target's, none empty.
Layout source_of(const OpSize& size) {
  std::vector<int32_t> lengths(size.lengths.rbegin(), size.lengths.rend());
  for (int32_t& length : lengths) ++length;
  return Layout::of_lengths(lengths);
}

enum class Form { all, step, weights };

// Operands: queries, keys, values (not of weights), places (of local-p), score (of additive scores).
OpCase local_case(const std::string& name, const LocalCase& what, Form form) {
  return {name, [=](const OpSize& size) {
            const Layout keys = source_of(size);
            const std::vector<int32_t> ones(static_cast<size_t>(keys.sentences()), 1);
            const Layout queries = form == Form::step ? Layout::of_lengths(ones) : size.layout();
            // A step's hypotheses stand anywhere, beyond the source as well.
            std::vector<int32_t> positions(queries.positions().begin(), queries.positions().end());
            for (size_t r = 0; r < positions.size() && form == Form::step; ++r)
              positions[r] = static_cast<int32_t>(3 * r);
            const int64_t width = size.width, value_width = form == Form::weights ? width : size.width + 5;
            constexpr int64_t kReach = 2;
            OpInstance made;
            made.operands = {{"queries", {queries.rows(), width}}, {"keys", {keys.rows(), width}}};
            if (form != Form::weights) made.operands.push_back({"values", {keys.rows(), value_width}});
            const size_t places = made.operands.size();
            if (what.predicts) made.operands.push_back({"places", {queries.rows(), 1}});
            const size_t score = made.operands.size();
            if (what.additive) made.operands.push_back({"score", {1, width}, Operand::Kind::parameter, 0.5});
            made.run = [=](Context& c, const OpInputs& in) {
              const LocalAttentionOptions options{.reach = kReach,
                                                  .score = what.additive ? &in.parameter(score) : nullptr,
                                                  .scaled = what.scaled};
              const Var at = what.predicts ? in.var(places) : Var();
              if (form == Form::all) {
                return std::vector<Var>{
                    local_attention(c, in.var(0), queries, at, in.var(1), in.var(2), keys, options)};
              }
              if (form == Form::step) {
                const std::vector<int32_t> first(keys.offsets().begin(), keys.offsets().end() - 1);
                return std::vector<Var>{
                    local_attention_step(c, in.tensor(0), positions, at.value, in.tensor(1), in.tensor(2),
                                         {.offsets = keys.offsets(), .rows = {}, .first = first}, options)};
              }
              std::vector<Var> weights;
              for (Tensor& w :
                   local_attention_weights(c, in.tensor(0), queries, at.value, in.tensor(1), keys, options))
                weights.emplace_back(std::move(w));
              return weights;
            };
            made.plain = [=](const std::vector<Values>& in) {
              std::vector<Values> weights;
              std::vector<int64_t> weight_begin = {0};
              for (int64_t b = 0; b < keys.sentences(); ++b)
                weight_begin.push_back(weight_begin.back() + int64_t{queries.length(b)} * keys.length(b));
              Values out(queries.rows() * value_width), all_weights(weight_begin.back());
              const kernels::LocalAttentionArgs<double> args{
                  .sentences = keys.sentences(),
                  .query_offsets = queries.offsets().data(),
                  .key_begin = keys.offsets().data(),
                  .key_end = keys.offsets().data() + 1,
                  .positions = positions.data(),
                  .reach = kReach,
                  .width = width,
                  .value_width = value_width,
                  .q = in[0].data(),
                  .k = in[1].data(),
                  .v = form == Form::weights ? nullptr : in[2].data(),
                  .q_stride = width,
                  .k_stride = width,
                  .v_stride = value_width,
                  .score = what.additive ? in[score].data() : nullptr,
                  .scale = what.scaled ? 1.0 / std::sqrt(static_cast<double>(width)) : 1.0,
                  .places = what.predicts ? in[places].data() : nullptr,
                  .out = form == Form::weights ? nullptr : out.data(),
                  .weight_begin = weight_begin.data(),
                  .weights = all_weights.data()};
              for (int64_t b = 0; b < keys.sentences(); ++b) kernels::reference::local_attention(args, b);
              if (form != Form::weights) return std::vector<Values>{out};
              for (size_t b = 0; b + 1 < weight_begin.size(); ++b)
                weights.emplace_back(all_weights.begin() + weight_begin[b],
                                     all_weights.begin() + weight_begin[b + 1]);
              return weights;
            };
            made.flops = static_cast<double>(queries.rows() * (2 * kReach + 1) * 2 * (width + value_width));
            return made;
          }};
}

}  // namespace

std::vector<Op> local_attention_ops() {
  const LocalCase monotonic{}, predictive{.predicts = true}, additive{.predicts = true, .additive = true},
      scaled{.scaled = true};
  return {{"local_attention",
           "local_attention.h",
           "attention to a window around a position, given or predicted",
           true,
           {local_case("local-m", monotonic, Form::all), local_case("local-p", predictive, Form::all),
            local_case("local-p, additive", additive, Form::all),
            local_case("local-m, scaled", scaled, Form::all)}},
          {"local_attention_step",
           "local_attention.h",
           "the same for new positions over cached keys and values",
           false,
           {local_case("local-m", monotonic, Form::step), local_case("local-p", additive, Form::step)}},
          {"local_attention_weights",
           "local_attention.h",
           "the weights themselves",
           false,
           {local_case("local-p", predictive, Form::weights)}}};
}

}  // namespace heed::test
