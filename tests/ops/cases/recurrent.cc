// Recurrent passes and the attention that recurrent decoders ask.
#include "heed/ops/recurrent.h"

#include <cmath>

#include "heed/kernels/reference/additive_attention.h"
#include "heed/kernels/reference/recurrent.h"
#include "heed/ops/additive_attention.h"
#include "tests/ops/cases/cases.h"

namespace heed::test {
namespace {

using kernels::Cell;

struct RecurrentCase {
  Cell cell = Cell::gru;
  int passes = 1;  // the second goes backwards
  bool initial = false;
  bool shared = false;  // several rows read the same gates
};

// Which gates each row reads: those of every third row by many, some by none.
std::shared_ptr<const std::vector<int32_t>> readers_of(int64_t rows) {
  std::vector<int32_t> row_of(static_cast<size_t>(rows));
  for (int64_t r = 0; r < rows; ++r)
    row_of[static_cast<size_t>(r)] = static_cast<int32_t>(r * r % (rows / 3 + 1));
  return std::make_shared<const std::vector<int32_t>>(row_of);
}

// Operands of pass p: gates, weight, bias and, if any, the initial state and cell.
int64_t operands_of_pass(const RecurrentCase& made) {
  return 3 + (made.initial ? (made.cell == Cell::lstm ? 2 : 1) : 0);
}

OpCase recurrent_case(const std::string& name, const RecurrentCase& what) {
  return {name, [=](const OpSize& size) {
            const Layout layout = size.layout();
            const int64_t rows = layout.rows(), width = size.width, sentences = layout.sentences();
            const int64_t gates = kernels::gates_of(what.cell) * width, per_pass = operands_of_pass(what);
            const double spread = 1.0 / std::sqrt(static_cast<double>(width));
            const int64_t gates_rows = what.shared ? rows / 3 + 1 : rows;
            const auto readers = what.shared ? readers_of(rows) : nullptr;
            OpInstance made;
            for (int p = 0; p < what.passes; ++p) {
              made.operands.push_back({"gates", {gates_rows, gates}});
              made.operands.push_back({"weight", {gates, width}, Operand::Kind::parameter, spread});
              made.operands.push_back({"bias", {gates}, Operand::Kind::parameter, 0.5});
              if (what.initial) made.operands.push_back({"initial", {sentences, width}});
              if (what.initial && what.cell == Cell::lstm)
                made.operands.push_back({"initial cell", {sentences, width}});
            }
            made.run = [=](Context& c, const OpInputs& in) {
              std::vector<RecurrentPass> passes;
              for (int p = 0; p < what.passes; ++p) {
                const size_t first = static_cast<size_t>(p * per_pass);
                passes.push_back({.gates_x = in.var(first),
                                  .weight = &in.parameter(first + 1),
                                  .bias = &in.parameter(first + 2),
                                  .reverse = p == 1,
                                  .initial = what.initial ? in.var(first + 3) : Var(),
                                  .initial_cell = per_pass == 5 ? in.var(first + 4) : Var(),
                                  .gates_row = readers});
              }
              RecurrentStates states = recurrent(c, what.cell, passes, layout);
              std::vector<Var> outputs = {states.rows};
              outputs.insert(outputs.end(), states.last.begin(), states.last.end());
              outputs.insert(outputs.end(), states.last_cell.begin(), states.last_cell.end());
              return outputs;
            };
            made.plain = [=](const std::vector<Values>& in) {
              Values h(rows * what.passes * width);
              std::vector<Values> last(what.passes, Values(sentences * width)), last_cell = last;
              for (int p = 0; p < what.passes; ++p) {
                const size_t first = static_cast<size_t>(p * per_pass);
                kernels::reference::recurrent<double>(
                    {.cell = what.cell,
                     .sentences = sentences,
                     .width = width,
                     .offsets = layout.offsets().data(),
                     .reverse = p == 1,
                     .gates_x = in[first].data(),
                     .gates_stride = gates,
                     .gates_row = readers ? readers->data() : nullptr,
                     .bias = in[first + 2].data(),
                     .initial = what.initial ? in[first + 3].data() : nullptr,
                     .initial_cell = per_pass == 5 ? in[first + 4].data() : nullptr,
                     .h = h.data() + p * width,
                     .h_stride = what.passes * width,
                     .last = last[p].data(),
                     .last_cell = last_cell[p].data()},
                    in[first + 1].data());
              }
              std::vector<Values> outputs = {h};
              outputs.insert(outputs.end(), last.begin(), last.end());
              if (what.cell == Cell::lstm) outputs.insert(outputs.end(), last_cell.begin(), last_cell.end());
              return outputs;
            };
            made.flops = 2.0 * static_cast<double>(what.passes * rows * gates * width);
            return made;
          }};
}

Layout keys_of(const OpSize& size) {
  std::vector<int32_t> lengths(size.lengths.rbegin(), size.lengths.rend());
  for (int32_t& length : lengths) ++length;
  return Layout::of_lengths(lengths);
}

// The plain definition for queries [query_offsets[b], query_offsets[b + 1]) over keys [begin[b], end[b]).
struct PlainAdditive {
  std::vector<int32_t> query_offsets, begin, end;
  std::vector<int64_t> weight_begin;
  Values out, weights, guided;

  PlainAdditive(std::vector<int32_t> offsets, std::vector<int32_t> key_begin, std::vector<int32_t> key_end,
                int64_t width, int64_t value_width, const double* q, const double* k, const double* v,
                const double* score, const Guide& guide)
      : query_offsets(std::move(offsets)), begin(std::move(key_begin)), end(std::move(key_end)) {
    int64_t pairs = 0;
    for (size_t b = 0; b < begin.size(); ++b) {
      weight_begin.push_back(pairs);
      pairs += (query_offsets[b + 1] - query_offsets[b]) * (end[b] - begin[b]);
    }
    weights.resize(pairs);
    out.resize(query_offsets.back() * value_width);
    guided.resize(query_offsets.back());
    for (size_t b = 0; b < begin.size(); ++b) {
      kernels::reference::additive_attention<double>({.sentences = static_cast<int64_t>(begin.size()),
                                                      .query_offsets = query_offsets.data(),
                                                      .key_begin = begin.data(),
                                                      .key_end = end.data(),
                                                      .width = width,
                                                      .value_width = value_width,
                                                      .q = q,
                                                      .k = k,
                                                      .v = v,
                                                      .q_stride = width,
                                                      .k_stride = width,
                                                      .v_stride = value_width,
                                                      .score = score,
                                                      .weight_begin = weight_begin.data(),
                                                      .weights = weights.data(),
                                                      .out = out.data(),
                                                      .guide = guide.for_kernel(),
                                                      .guided = guided.data()},
                                                     static_cast<int64_t>(b));
    }
  }
  PlainAdditive(const Layout& queries, const Layout& keys, int64_t width, int64_t value_width,
                const double* q, const double* k, const double* v, const double* score,
                const Guide& guide = {})
      : PlainAdditive({queries.offsets().begin(), queries.offsets().end()},
                      {keys.offsets().begin(), keys.offsets().end() - 1},
                      {keys.offsets().begin() + 1, keys.offsets().end()}, width, value_width, q, k, v, score,
                      guide) {}
};

double additive_flops(const Layout& queries, const Layout& keys, int64_t width, int64_t value_width) {
  double pairs = 0;
  for (int64_t i = 0; i < queries.sentences(); ++i)
    pairs += static_cast<double>(queries.length(i)) * static_cast<double>(keys.length(i));
  return pairs * static_cast<double>(12 * width + 2 * value_width);
}

OpCase additive_case(bool guided) {
  return {guided ? "guided" : "plain", [=](const OpSize& size) {
            const int64_t width = size.width, value_width = size.width + 5;
            const Layout queries = size.layout(), keys = keys_of(size);
            OpInstance made;
            made.operands = {{"queries", {queries.rows(), width}},
                             {"keys", {keys.rows(), width}},
                             {"values", {keys.rows(), value_width}},
                             {"score", {1, width}, Operand::Kind::parameter, 0.5}};
            const Guide guide = guided ? guide_of(queries, 0.3f, -1) : Guide();
            made.run = [=](Context& c, const OpInputs& in) {
              const GuidedAttention attended = additive_attention(c, in.var(0), queries, in.var(1), in.var(2),
                                                                  keys, in.parameter(3), guide);
              return guided ? std::vector{attended.out, attended.sums} : std::vector{attended.out};
            };
            made.plain = [=](const std::vector<Values>& in) {
              const PlainAdditive plain(queries, keys, width, value_width, in[0].data(), in[1].data(),
                                        in[2].data(), in[3].data(), guide);
              return guided ? std::vector<Values>{plain.out, plain.guided} : std::vector<Values>{plain.out};
            };
            made.flops = additive_flops(queries, keys, width, value_width);
            return made;
          }};
}

// Each sentence is one query; two neighbours share the first one's keys.
OpCase additive_step_case() {
  return {"shared rows", [](const OpSize& size) {
            const int64_t width = size.width;
            const Layout keys = keys_of(size);
            std::vector<int32_t> offsets = {0}, first, last;
            for (int64_t i = 0; i < keys.sentences(); ++i) {
              offsets.push_back(offsets.back() + keys.length(i / 2 * 2));
              first.push_back(keys.begin(i / 2 * 2));
              last.push_back(keys.end(i / 2 * 2));
            }
            const std::vector<int32_t> ones(first.size(), 1);
            const Layout queries = Layout::of_lengths(ones);
            OpInstance made;
            made.operands = {{"queries", {queries.rows(), width}},
                             {"keys", {keys.rows(), width}},
                             {"values", {keys.rows(), width}},
                             {"score", {1, width}, Operand::Kind::parameter, 0.5}};
            made.run = [=](Context& c, const OpInputs& in) {
              return std::vector{additive_attention_step(c, in.tensor(0), in.tensor(1), in.tensor(2),
                                                         {.offsets = offsets, .rows = {}, .first = first},
                                                         in.parameter(3))};
            };
            made.plain = [=](const std::vector<Values>& in) {
              const PlainAdditive plain({queries.offsets().begin(), queries.offsets().end()}, first, last,
                                        width, width, in[0].data(), in[1].data(), in[2].data(), in[3].data(),
                                        {});
              return std::vector<Values>{plain.out};
            };
            made.flops = static_cast<double>(offsets.back() * 14 * width);
            return made;
          }};
}

OpCase additive_weights_case() {
  return {"plain", [](const OpSize& size) {
            const int64_t width = size.width;
            const Layout queries = size.layout(), keys = keys_of(size);
            OpInstance made;
            made.operands = {{"queries", {queries.rows(), width}},
                             {"keys", {keys.rows(), width}},
                             {"score", {1, width}, Operand::Kind::parameter, 0.5}};
            made.run = [=](Context& c, const OpInputs& in) {
              std::vector<Var> weights;
              for (Tensor& w : additive_attention_weights(c, in.tensor(0), queries, in.tensor(1), keys,
                                                          in.parameter(2))) {
                weights.emplace_back(std::move(w));
              }
              return weights;
            };
            made.plain = [=](const std::vector<Values>& in) {
              const PlainAdditive plain(queries, keys, width, width, in[0].data(), in[1].data(), in[1].data(),
                                        in[2].data());
              std::vector<Values> weights;
              for (int64_t b = 0; b < queries.sentences(); ++b) {
                const auto from = plain.weights.begin() + plain.weight_begin[static_cast<size_t>(b)];
                weights.emplace_back(from, from + queries.length(b) * keys.length(b));
              }
              return weights;
            };
            made.flops = additive_flops(queries, keys, width, 0);
            return made;
          }};
}

}  // namespace

std::vector<Op> recurrent_ops() {
  return {
      {"recurrent",
       "recurrent.h",
       "GRU or LSTM over each sentence's rows, given the input products",
       true,
       {recurrent_case("GRU", {}), recurrent_case("GRU both ways", {.passes = 2}),
        recurrent_case("GRU from a state", {.initial = true}), recurrent_case("LSTM", {.cell = Cell::lstm}),
        recurrent_case("GRU with shared gates", {.passes = 2, .shared = true}),
        recurrent_case("LSTM both ways from states", {.cell = Cell::lstm, .passes = 2, .initial = true})}},
      {"additive_attention",
       "additive_attention.h",
       "softmax(v . tanh(q + k)) V of each sentence; with a guide, for each query also 1/N sum over keys n "
       "of "
       "its weight times W_n",
       true,
       {additive_case(false), additive_case(true)}},
      {"additive_attention_step",
       "additive_attention.h",
       "the same for new positions over cached keys and values",
       false,
       {additive_step_case()}},
      {"additive_attention_weights",
       "additive_attention.h",
       "the weights softmax(v . tanh(q + k)) themselves",
       false,
       {additive_weights_case()}}};
}

}  // namespace heed::test
