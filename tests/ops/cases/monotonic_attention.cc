// Monotonic attention: the expectation that training sees, and the choices of decoding.
#include "heed/ops/monotonic_attention.h"

#include "heed/kernels/reference/monotonic_attention.h"
#include "heed/ops/dropout.h"
#include "tests/ops/cases/cases.h"

namespace heed::test {
namespace {

constexpr float kScale = 0.4f;
constexpr float kNoise = 0.7f;

// Queries in the order given, memories of other lengths.
struct Sides {
  Layout queries, keys;
  std::vector<int32_t> first, lengths;
  std::vector<int64_t> pair_begin;
  int64_t pairs = 0;

  explicit Sides(const OpSize& size) : queries(size.layout()) {
    lengths.assign(size.lengths.rbegin(), size.lengths.rend());
    for (int32_t& length : lengths) ++length;
    keys = Layout::of_lengths(lengths);
    for (int64_t b = 0; b < keys.sentences(); ++b) {
      first.push_back(keys.begin(b));
      pair_begin.push_back(pairs);
      pairs += static_cast<int64_t>(queries.length(b)) * keys.length(b);
    }
  }
};

kernels::MonotonicAttentionArgs<double> arguments(const Sides& sides, int64_t width, int64_t value_width,
                                                  const std::vector<Values>& in, Values& out) {
  return {.sentences = sides.queries.sentences(),
          .query_offsets = sides.queries.offsets().data(),
          .key_begin = sides.first.data(),
          .key_end = sides.keys.offsets().data() + 1,
          .width = width,
          .value_width = value_width,
          .scale = kScale,
          .offset = in[3].data(),
          .q = in[0].data(),
          .k = in[1].data(),
          .v = in[2].data(),
          .q_stride = width,
          .k_stride = width,
          .v_stride = value_width,
          .out = out.data(),
          .pair_begin = sides.pair_begin.data()};
}

OpInstance instance(const Sides& sides, int64_t width, int64_t value_width) {
  OpInstance made;
  made.operands = {{"queries", {sides.queries.rows(), width}},
                   {"keys", {sides.keys.rows(), width}},
                   {"values", {sides.keys.rows(), value_width}},
                   {"offset", {1}, Operand::Kind::parameter, 0.1, -1.0}};
  made.flops = 2.0 * static_cast<double>(sides.pairs * (width + value_width));
  return made;
}

OpCase expected_case(const std::string& name, float noise) {
  return {name, [=](const OpSize& size) {
            const int64_t width = size.width, value_width = size.width + 5;
            const Sides sides(size);
            const uint64_t site = DropoutSite("case", 0.0).site;
            OpInstance made = instance(sides, width, value_width);
            made.run = [=](Context& c, const OpInputs& in) {
              return std::vector{expected_monotonic_attention(
                  c, in.var(0), sides.queries, in.var(1), in.var(2), sides.keys,
                  {.offset = &in.parameter(3), .scale = kScale, .noise = noise, .site = site})};
            };
            made.plain = [=](const std::vector<Values>& in) {
              Values out(sides.queries.rows() * value_width), chosen(sides.pairs), weights(sides.pairs);
              auto args = arguments(sides, width, value_width, in, out);
              args.chosen = chosen.data();
              args.weights = weights.data();
              args.noise = noise;
              args.noise_key = mix64(kCaseRandomKey, site);
              args.query_row_keys = sides.queries.row_keys().data();
              for (int64_t b = 0; b < sides.queries.sentences(); ++b)
                kernels::reference::expected_monotonic_attention(args, b);
              return std::vector<Values>{out};
            };
            return made;
          }};
}

OpCase hard_case() {
  return {
      "from the first key", [](const OpSize& size) {
        const int64_t width = size.width;
        const Sides sides(size);
        OpInstance made = instance(sides, width, width);
        made.run = [=](Context& c, const OpInputs& in) {
          std::vector<int32_t> attended(sides.first.size(), 0);
          return std::vector{Var(
              hard_monotonic_attention(c, in.tensor(0), sides.queries, in.tensor(1), in.tensor(2),
                                       {.first = sides.first, .lengths = sides.lengths, .attended = attended},
                                       {.offset = &in.parameter(3), .scale = kScale})
                  .out)};
        };
        made.plain = [=](const std::vector<Values>& in) {
          Values out(sides.queries.rows() * width);
          std::vector<int32_t> attended(sides.first.size(), 0);
          auto args = arguments(sides, width, width, in, out);
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
           {expected_case("plain", 0.0f), expected_case("with noise", kNoise)}},
          {"hard_monotonic_attention",
           "monotonic_attention.h",
           "v_j of the first key j from the one before on whose energy is not negative",
           false,
           {hard_case()}}};
}

}  // namespace heed::test
