#include "heed/ops/attention.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "heed/kernels/reference/attention.h"
#include "tests/ops/cases/cases.h"

namespace heed::test {
namespace {

double scale_of(const AttentionOptions& options, int64_t width) {
  const int64_t head_width = width / options.heads;
  return options.scaled ? static_cast<double>(1.0f / std::sqrt(static_cast<float>(head_width))) : 1.0;
}

struct PlainAttention {
  Values out, guided;
};

// q, k and v begin where the first query, key and value stand; all have `width` columns.
PlainAttention plain_attention(const Layout& queries, const Layout& keys, int64_t width,
                               const AttentionOptions& options, const double* q, int64_t q_stride,
                               const double* k, const double* v, int64_t kv_stride, const Guide& guide = {}) {
  PlainAttention plain{Values(queries.rows() * width), Values(queries.rows() * options.heads)};
  kernels::reference::attention<double>({.sentences = queries.sentences(),
                                         .query_offsets = queries.offsets().data(),
                                         .key_offsets = keys.offsets().data(),
                                         .heads = options.heads,
                                         .head_width = width / options.heads,
                                         .scale = static_cast<float>(scale_of(options, width)),
                                         .causal = options.causal,
                                         .dropout = dropped_at(options.dropout),
                                         .query_row_keys = queries.row_keys().data(),
                                         .q = q,
                                         .k = k,
                                         .v = v,
                                         .q_stride = q_stride,
                                         .k_stride = kv_stride,
                                         .v_stride = kv_stride,
                                         .out = plain.out.data(),
                                         .out_stride = width,
                                         .log_sum = nullptr,
                                         .guide = guide.for_kernel(),
                                         .guided = plain.guided.data()});
  return plain;
}

double attention_flops(const Layout& queries, const Layout& keys, int64_t width) {
  double pairs = 0;
  for (int64_t i = 0; i < queries.sentences(); ++i) {
    pairs += static_cast<double>(queries.length(i)) * static_cast<double>(keys.length(i));
  }
  return 4.0 * pairs * static_cast<double>(width);
}

OpCase self_case(const std::string& name, const AttentionOptions& options) {
  return {name, [=](const OpSize& size) {
            const int64_t width = size.width;
            const Layout layout = size.layout();
            OpInstance made;
            made.operands = {{"projected", {layout.rows(), 3 * width}}};
            made.run = [=](Context& c, const OpInputs& in) {
              return std::vector{self_attention(c, in.var(0), layout, options)};
            };
            made.plain = [=](const std::vector<Values>& in) {
              const double* q = in[0].data();
              return std::vector<Values>{plain_attention(layout, layout, width, options, q, 3 * width,
                                                         q + width, q + 2 * width, 3 * width)
                                             .out};
            };
            made.flops = attention_flops(layout, layout, width) / (options.causal ? 2 : 1);
            return made;
          }};
}

// Queries in the order given, memories of other lengths.
Layout memory_of(const OpSize& size) {
  std::vector<int32_t> lengths(size.lengths.rbegin(), size.lengths.rend());
  for (int32_t& length : lengths) ++length;
  return Layout::of_lengths(lengths);
}

OpCase cross_case(const std::string& name, const AttentionOptions& options) {
  return {name, [=](const OpSize& size) {
            const int64_t width = size.width;
            const Layout queries = size.layout(), keys = memory_of(size);
            OpInstance made;
            made.operands = {{"queries", {queries.rows(), width}}, {"memory", {keys.rows(), 2 * width}}};
            made.run = [=](Context& c, const OpInputs& in) {
              return std::vector{cross_attention(c, in.var(0), queries, in.var(1), keys, options).out};
            };
            made.plain = [=](const std::vector<Values>& in) {
              return std::vector<Values>{plain_attention(queries, keys, width, options, in[0].data(), width,
                                                         in[1].data(), in[1].data() + width, 2 * width)
                                             .out};
            };
            made.flops = attention_flops(queries, keys, width);
            return made;
          }};
}

// Keys and values the same rows, as recurrent decoders have it.
OpCase shared_case(const std::string& name, const AttentionOptions& options) {
  return {
      name, [=](const OpSize& size) {
        const int64_t width = size.width;
        const Layout queries = size.layout(), keys = memory_of(size);
        OpInstance made;
        made.operands = {{"queries", {queries.rows(), width}}, {"memory", {keys.rows(), width}}};
        made.run = [=](Context& c, const OpInputs& in) {
          return std::vector{cross_attention(c, in.var(0), queries, in.var(1), in.var(1), keys, options).out};
        };
        made.plain = [=](const std::vector<Values>& in) {
          return std::vector<Values>{plain_attention(queries, keys, width, options, in[0].data(), width,
                                                     in[1].data(), in[1].data(), width)
                                         .out};
        };
        made.flops = attention_flops(queries, keys, width);
        return made;
      }};
}

// Keys and values side by side, or (`shared`) the same rows; a narrow guide, so that much of W is far from 1.
OpCase guided_case(const std::string& name, bool shared, const AttentionOptions& options, int64_t head) {
  return {name, [=](const OpSize& size) {
            const int64_t width = size.width, memory_width = shared ? width : 2 * width;
            const Layout queries = size.layout(), keys = memory_of(size);
            const Guide guide = guide_of(queries, 0.3f, head);
            OpInstance made;
            made.operands = {{"queries", {queries.rows(), width}}, {"memory", {keys.rows(), memory_width}}};
            made.run = [=](Context& c, const OpInputs& in) {
              const GuidedAttention attended =
                  shared ? cross_attention(c, in.var(0), queries, in.var(1), in.var(1), keys, options, guide)
                         : cross_attention(c, in.var(0), queries, in.var(1), keys, options, guide);
              return std::vector{attended.out, attended.sums};
            };
            made.plain = [=](const std::vector<Values>& in) {
              const double* memory = in[1].data();
              const PlainAttention plain =
                  plain_attention(queries, keys, width, options, in[0].data(), width, memory,
                                  shared ? memory : memory + width, memory_width, guide);
              return std::vector<Values>{plain.out, plain.guided};
            };
            made.flops = attention_flops(queries, keys, width);
            return made;
          }};
}

OpCase weights_case(const std::string& name, const AttentionOptions& options) {
  return {name, [=](const OpSize& size) {
            const int64_t width = size.width, head_width = width / options.heads;
            const Layout queries = size.layout(), keys = options.causal ? queries : memory_of(size);
            OpInstance made;
            made.operands = {{"queries", {queries.rows(), width}}, {"keys", {keys.rows(), width}}};
            made.run = [=](Context& c, const OpInputs& in) {
              std::vector<Var> weights;
              for (Tensor& w : attention_weights(c, in.tensor(0), queries, in.tensor(1), keys, options)) {
                weights.emplace_back(std::move(w));
              }
              return weights;
            };
            made.plain = [=](const std::vector<Values>& in) {
              std::vector<Values> weights;
              for (int64_t i = 0; i < queries.sentences(); ++i) {
                Values& sentence = weights.emplace_back();
                for (int64_t h = 0; h < options.heads; ++h) {
                  for (int64_t t = 0; t < queries.length(i); ++t) {
                    Values row(options.causal ? t + 1 : keys.length(i));
                    for (size_t s = 0; s < row.size(); ++s) {
                      const double* q = &in[0][(queries.begin(i) + t) * width + h * head_width];
                      const double* k =
                          &in[1][(keys.begin(i) + static_cast<int64_t>(s)) * width + h * head_width];
                      row[s] = std::inner_product(q, q + head_width, k, 0.0) * scale_of(options, width);
                    }
                    kernels::reference::softmax(row);
                    row.resize(keys.length(i), 0.0);
                    sentence.insert(sentence.end(), row.begin(), row.end());
                  }
                }
              }
              return weights;
            };
            made.flops = attention_flops(queries, keys, width) / 2;
            return made;
          }};
}

// Each sentence is one query. With `listed` rows a query sees its sentence's rows backwards (as a beam search
// leaves them: in any order); otherwise two neighbours share the first one's consecutive rows.
OpCase step_case(const std::string& name, bool listed, const AttentionOptions& options) {
  return {
      name, [=](const OpSize& size) {
        const int64_t width = size.width;
        const Layout keys = memory_of(size);
        std::vector<int32_t> offsets = {0}, rows, first;
        for (int64_t i = 0; i < keys.sentences(); ++i) {
          const int64_t from = listed ? i : i / 2 * 2;
          offsets.push_back(offsets.back() + keys.length(from));
          first.push_back(keys.begin(from));
          for (int32_t row = keys.end(i) - 1; listed && row >= keys.begin(i); --row) rows.push_back(row);
        }
        if (listed) first.clear();
        const int64_t queries = keys.sentences();
        OpInstance made;
        made.operands = {{"queries", {queries, width}}, {"cache", {keys.rows(), 2 * width}}};
        made.run = [=](Context& c, const OpInputs& in) {
          const Tensor& cache = in.tensor(1);
          return std::vector{attention_step(c, in.tensor(0), cache.columns(0, width),
                                            cache.columns(width, 2 * width),
                                            {.offsets = offsets, .rows = rows, .first = first}, options)};
        };
        made.plain = [=](const std::vector<Values>& in) {
          Values out(queries * width);
          kernels::reference::attention_step<double>({.queries = queries,
                                                      .row_offsets = offsets.data(),
                                                      .rows = listed ? rows.data() : nullptr,
                                                      .first = listed ? nullptr : first.data(),
                                                      .heads = options.heads,
                                                      .head_width = width / options.heads,
                                                      .scale = static_cast<float>(scale_of(options, width)),
                                                      .q = in[0].data(),
                                                      .k = in[1].data(),
                                                      .v = in[1].data() + width,
                                                      .q_stride = width,
                                                      .k_stride = 2 * width,
                                                      .v_stride = 2 * width,
                                                      .out = out.data(),
                                                      .out_stride = width});
          return std::vector<Values>{out};
        };
        made.flops = 4.0 * static_cast<double>(offsets.back() * width);
        return made;
      }};
}

// Sums of f32, as attention leaves them.
OpCase add_sums_case() {
  return {"two parts", [](const OpSize& size) {
            OpInstance made;
            made.operands = {{"loss", {1}, Operand::Kind::parameter},
                             {"first", {size.rows(), 2}, Operand::Kind::parameter},
                             {"second", {size.rows(), 1}, Operand::Kind::parameter}};
            made.run = [](Context& c, const OpInputs& in) {
              return std::vector{add_sums(c, in.parameter(0).var(c),
                                          {in.parameter(1).var(c), in.parameter(2).var(c)}, 0.25f)};
            };
            made.plain = [](const std::vector<Values>& in) {
              const double sum = std::accumulate(in[1].begin(), in[1].end(), 0.0) +
                                 std::accumulate(in[2].begin(), in[2].end(), 0.0);
              return std::vector<Values>{{in[0][0] + 0.25 * sum}};
            };
            made.flops = static_cast<double>(3 * size.rows());
            return made;
          }};
}

}  // namespace

std::vector<Op> attention_ops() {
  const AttentionOptions two_heads{.heads = 2, .dropout = {}};
  const AttentionOptions causal{.heads = 3, .causal = true, .dropout = {}};
  const AttentionOptions unscaled{.heads = 1, .scaled = false, .dropout = {}};
  const AttentionOptions thinned{.heads = 2, .dropout = DropoutSite("case", 0.3)};
  const AttentionOptions causal_thinned{.heads = 2, .causal = true, .dropout = DropoutSite("case", 0.3)};
  return {
      {"self_attention",
       "attention.h",
       "softmax(scale Q K^T) V of each head, queries, keys and values from the same rows",
       true,
       {self_case("two heads", two_heads), self_case("causal", causal), self_case("not scaled", unscaled),
        self_case("with dropout", thinned), self_case("causal with dropout", causal_thinned)}},
      {"cross_attention",
       "attention.h",
       "the same, keys and values from a memory; with a guide, for each query also 1/N sum over keys n of "
       "its "
       "weight times W_n, their distance from the diagonal",
       true,
       {cross_case("two heads", two_heads), cross_case("not scaled", unscaled),
        cross_case("with dropout", thinned), shared_case("keys are values", unscaled),
        guided_case("guided", false, two_heads, -1), guided_case("guided second head", false, two_heads, 1),
        guided_case("guided with dropout", false, thinned, -1),
        guided_case("guided, keys are values", true, unscaled, -1)}},
      {"add_sums", "guide.h", "a loss plus a factor times all numbers of its parts", true, {add_sums_case()}},
      {"attention_step",
       "attention.h",
       "cross_attention for new positions over cached keys and values",
       false,
       {step_case("listed rows", true, two_heads), step_case("consecutive rows", false, two_heads)}},
      {"attention_weights",
       "attention.h",
       "the weights softmax(scale Q K^T) themselves",
       false,
       {weights_case("two heads", two_heads), weights_case("causal", causal)}}};
}

}  // namespace heed::test
