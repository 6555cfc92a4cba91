// The decoder that attends in every step.
#include "heed/ops/attention_decoder.h"

#include <cmath>

#include "heed/kernels/reference/attention_decoder.h"
#include "tests/ops/cases/cases.h"

namespace heed::test {
namespace {

using kernels::Cell;

// Source sentences of other lengths than the target's, none empty.
Layout source_of(const OpSize& size) {
  std::vector<int32_t> lengths(size.lengths.rbegin(), size.lengths.rend());
  for (int32_t& length : lengths) ++length;
  return Layout::of_lengths(lengths);
}

OpCase decoder_case(const std::string& name, Cell cell, bool conditional) {
  return {name, [=](const OpSize& size) {
            const Layout target = size.layout(), source = source_of(size);
            const int64_t width = size.width, gates = kernels::gates_of(cell) * width;
            const int64_t scores = width + 4, memory = width + 5, sentences = target.sentences();
            const double spread = 1.0 / std::sqrt(static_cast<double>(width));
            const bool lstm = cell == Cell::lstm;
            constexpr auto kParameter = Operand::Kind::parameter;
            OpInstance made;
            made.operands = {{"gates", {target.rows(), gates}},
                             {"first weight", {gates, width}, kParameter, spread},
                             {"first bias", {gates}, kParameter, 0.5},
                             {"query weight", {scores, width}, kParameter, spread},
                             {"score", {1, scores}, kParameter, 0.5},
                             {"keys", {source.rows(), scores}},
                             {"memory", {source.rows(), memory}},
                             {"context gates", {source.rows(), gates}},
                             {"weight", {gates, width}, kParameter, spread},
                             {"bias", {gates}, kParameter, 0.5},
                             {"initial", {sentences, width}}};
            if (lstm) made.operands.push_back({"initial cell", {sentences, width}});
            if (!conditional) made.operands.erase(made.operands.begin() + 1, made.operands.begin() + 3);
            // Where an operand stands, counted with f_1's.
            const auto at = [=](size_t i) { return conditional || i == 0 ? i : i - 2; };
            made.run = [=](Context& c, const OpInputs& in) {
              AttentionDecoderInputs inputs{.cell = cell,
                                            .gates_x = in.var(0),
                                            .query_weight = &in.parameter(at(3)),
                                            .score = &in.parameter(at(4)),
                                            .keys = in.var(at(5)),
                                            .memory = in.var(at(6)),
                                            .context_gates = in.var(at(7)),
                                            .weight = &in.parameter(at(8)),
                                            .bias = &in.parameter(at(9)),
                                            .initial = in.var(at(10)),
                                            .initial_cell = lstm ? in.var(at(11)) : Var()};
              if (conditional) {
                inputs.first_weight = &in.parameter(1);
                inputs.first_bias = &in.parameter(2);
              }
              const AttentionDecoderStates out = attention_decoder(c, inputs, target, source);
              return std::vector<Var>{out.states, out.contexts, Var(out.weights)};
            };
            made.plain = [=](const std::vector<Values>& in) {
              std::vector<int64_t> weight_begin = {0};
              for (int64_t b = 0; b < sentences; ++b)
                weight_begin.push_back(weight_begin.back() + int64_t{target.length(b)} * source.length(b));
              std::vector<Values> out = {Values(target.rows() * width), Values(target.rows() * memory),
                                         Values(weight_begin.back())};
              kernels::AttentionDecoderArgs<double> args;
              args.cell.cell = cell;
              args.cell.sentences = sentences;
              args.cell.width = width;
              args.cell.offsets = target.offsets().data();
              args.cell.gates_x = in[0].data();
              args.cell.gates_stride = gates;
              args.cell.bias = in[at(9)].data();
              args.cell.initial = in[at(10)].data();
              args.cell.initial_cell = lstm ? in[at(11)].data() : nullptr;
              args.cell.h = out[0].data();
              args.cell.h_stride = width;
              kernels::RecurrentArgs<double> first = args.cell;
              if (conditional) first.bias = in[2].data();
              args.first = &first;
              args.key_offsets = source.offsets().data();
              args.score_width = scores;
              args.value_width = memory;
              args.score = in[at(4)].data();
              args.keys = in[at(5)].data();
              args.values = in[at(6)].data();
              args.context_gates = in[at(7)].data();
              args.key_stride = scores;
              args.value_stride = memory;
              args.context_gates_stride = gates;
              args.weight_begin = weight_begin.data();
              args.weights = out[2].data();
              args.contexts = out[1].data();
              kernels::reference::attention_decoder(args, in[at(8)].data(),
                                                    conditional ? in[1].data() : nullptr, in[at(3)].data());
              return out;
            };
            made.flops =
                2.0 * static_cast<double>(target.rows() * width * ((conditional ? 2 : 1) * gates + scores));
            return made;
          }};
}

}  // namespace

std::vector<Op> attention_decoder_ops() {
  return {{"attention_decoder",
           "attention_decoder.h",
           "a recurrent decoder's pass with additive attention in every step, given all input products",
           true,
           {decoder_case("GRU, attention before it", Cell::gru, false),
            decoder_case("conditional GRU", Cell::gru, true),
            decoder_case("LSTM, attention before it", Cell::lstm, false),
            decoder_case("conditional LSTM", Cell::lstm, true)}}};
}

}  // namespace heed::test
