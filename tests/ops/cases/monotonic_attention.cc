// Monotonic attention: the expectation that training sees, and the choices of decoding.
#include "heed/ops/monotonic_attention.h"

#include "heed/kernels/reference/monotonic_attention.h"
#include "heed/ops/dropout.h"
#include "heed/ops/rows.h"
#include "tests/ops/cases/cases.h"

namespace heed::test {
namespace {

constexpr float kScale = 0.4f;
constexpr float kNoise = 0.7f;

// Queries in the order given, memories of other lengths.
struct Sides {
  Layout queries, keys;
  std::vector<int32_t> first, lengths;
  std::vector<int64_t> weight_begin;
  int64_t pairs = 0;

  explicit Sides(const OpSize& size) : queries(size.layout()) {
    lengths.assign(size.lengths.rbegin(), size.lengths.rend());
    for (int32_t& length : lengths) ++length;
    keys = Layout::of_lengths(lengths);
    for (int64_t b = 0; b < keys.sentences(); ++b) {
      first.push_back(keys.begin(b));
      weight_begin.push_back(pairs);
      pairs += static_cast<int64_t>(queries.length(b)) * keys.length(b);
    }
  }
};

// What the queries' energies are made of.
struct Energies {
  bool additive = false;
  float noise = 0.0f;
};

kernels::MonotonicAttentionArgs<double> arguments(const Sides& sides, int64_t width, int64_t value_width,
                                                  const Energies& energies, const std::vector<Values>& in,
                                                  Values& out) {
  return {.sentences = sides.queries.sentences(),
          .query_offsets = sides.queries.offsets().data(),
          .key_begin = sides.first.data(),
          .key_end = sides.keys.offsets().data() + 1,
          .width = width,
          .value_width = value_width,
          .score = energies.additive ? in[4].data() : nullptr,
          .scale = kScale,
          .offset = in[3].data(),
          .q = in[0].data(),
          .k = in[1].data(),
          .v = in[2].data(),
          .q_stride = width,
          .k_stride = width,
          .v_stride = value_width,
          .out = out.data(),
          .weight_begin = sides.weight_begin.data()};
}

OpInstance instance(const Sides& sides, int64_t width, int64_t value_width, const Energies& energies) {
  OpInstance made;
  made.operands = {{"queries", {sides.queries.rows(), width}},
                   {"keys", {sides.keys.rows(), width}},
                   {"values", {sides.keys.rows(), value_width}},
                   {"offset", {1}, Operand::Kind::parameter, 0.1, -1.0}};
  if (energies.additive) made.operands.push_back({"score", {1, width}, Operand::Kind::parameter});
  made.flops = static_cast<double>(sides.pairs * ((energies.additive ? 12 : 2) * width + 2 * value_width));
  return made;
}

MonotonicOptions options_of(const Energies& energies, const OpInputs& in) {
  return {.offset = &in.parameter(3),
          .score = energies.additive ? &in.parameter(4) : nullptr,
          .scale = kScale,
          .noise = energies.noise,
          .site = DropoutSite("case", 0.0).site};
}

OpCase expected_case(const std::string& name, const Energies& energies) {
  return {name, [=](const OpSize& size) {
            const int64_t width = size.width, value_width = size.width + 5;
            const Sides sides(size);
            OpInstance made = instance(sides, width, value_width, energies);
            made.run = [=](Context& c, const OpInputs& in) {
              const MonotonicExpectation expected =
                  expected_monotonic_attention(c, in.var(0), sides.queries, in.var(1), in.var(2), sides.keys,
                                               Var(), options_of(energies, in));
              return std::vector{expected.out, expected.alignment};
            };
            made.plain = [=](const std::vector<Values>& in) {
              Values out(sides.queries.rows() * value_width), chosen(sides.pairs), weights(sides.pairs);
              Values after(sides.keys.rows());
              auto args = arguments(sides, width, value_width, energies, in, out);
              args.chosen = chosen.data();
              args.weights = weights.data();
              args.noise = energies.noise;
              args.noise_key = mix64(kCaseRandomKey, DropoutSite("case", 0.0).site);
              args.query_row_keys = sides.queries.row_keys().data();
              args.after = after.data();
              for (int64_t b = 0; b < sides.queries.sentences(); ++b)
                kernels::reference::expected_monotonic_attention(args, b);
              return std::vector<Values>{out, after};
            };
            return made;
          }};
}

// As a decoder goes that attends before its next query is known: a position at a time, each from the
// alignment that the one before it left. Its outputs are those of all positions at once, in another order.
OpCase by_steps_case(const std::string& name, const Energies& energies) {
  OpCase at_once = expected_case(name, energies);
  const auto make = at_once.make;
  at_once.make = [=](const OpSize& size) {
    const int64_t value_width = size.width + 5;
    const Sides sides(size);
    OpInstance made = make(size);
    std::vector<std::vector<int32_t>> steps;
    for (int32_t t = 0; t < sides.queries.longest(); ++t) {
      std::vector<int32_t>& rows = steps.emplace_back();
      for (int64_t b = 0; b < sides.queries.sentences(); ++b)
        if (t < sides.queries.length(b)) rows.push_back(sides.queries.begin(b) + t);
    }
    made.run = [=](Context& c, const OpInputs& in) {
      std::vector<Var> outs;
      Var alignment;
      for (size_t t = 0; t < steps.size(); ++t) {
        MonotonicExpectation expected = expected_monotonic_attention(
            c, gather_rows(c, {in.var(0)}, steps[t]), sides.queries.rows_at(static_cast<int32_t>(t)),
            in.var(1), in.var(2), sides.keys, alignment, options_of(energies, in));
        outs.push_back(expected.out);
        alignment = expected.alignment;
      }
      outs.push_back(alignment);
      return outs;
    };
    const auto plain = made.plain;
    made.plain = [=](const std::vector<Values>& in) {
      const std::vector<Values> all = plain(in);
      std::vector<Values> outs;
      for (const std::vector<int32_t>& rows : steps) {
        Values& out = outs.emplace_back();
        for (const int32_t row : rows) {
          const auto begin = all[0].begin() + row * value_width;
          out.insert(out.end(), begin, begin + value_width);
        }
      }
      outs.push_back(all[1]);
      return outs;
    };
    return made;
  };
  return at_once;
}

OpCase hard_case(const std::string& name, const Energies& energies) {
  return {name, [=](const OpSize& size) {
            const int64_t width = size.width;
            const Sides sides(size);
            OpInstance made = instance(sides, width, width, energies);
            made.run = [=](Context& c, const OpInputs& in) {
              std::vector<int32_t> attended(sides.first.size(), 0);
              return std::vector{Var(hard_monotonic_attention(c, in.tensor(0), in.tensor(1), in.tensor(2),
                                                              AttentionPairs(sides.queries, sides.keys),
                                                              attended, options_of(energies, in))
                                         .out)};
            };
            made.plain = [=](const std::vector<Values>& in) {
              Values out(sides.queries.rows() * width);
              std::vector<int32_t> attended(sides.first.size(), 0);
              auto args = arguments(sides, width, width, energies, in, out);
              args.attended = attended.data();
              for (int64_t b = 0; b < sides.queries.sentences(); ++b)
                kernels::reference::hard_monotonic_attention(args, b);
              return std::vector<Values>{out};
            };
            return made;
          }};
}

}  // namespace

std::vector<Op> monotonic_attention_ops() {
  return {{"expected_monotonic_attention",
           "monotonic_attention.h",
           "sum_j alpha_ij v_j, alpha_ij the probability that query i has gone forward to key j",
           true,
           {expected_case("plain", {}), expected_case("with noise", {.noise = kNoise}),
            expected_case("additive", {.additive = true}), by_steps_case("by steps", {.noise = kNoise}),
            by_steps_case("additive by steps", {.additive = true})}},
          {"hard_monotonic_attention",
           "monotonic_attention.h",
           "v_j of the first key j from the one before on whose energy is not negative",
           false,
           {hard_case("from the first key", {}), hard_case("additive", {.additive = true})}}};
}

}  // namespace heed::test
