#include "heed/ops/embedding.h"

#include "heed/kernels/reference/layer.h"
#include "tests/ops/cases/cases.h"

namespace heed::test {
namespace {

constexpr int64_t kWords = 9;

enum class Positioned { no, sinusoidal, learned };

OpCase embedding_case(const std::string& name, Positioned positioned, double dropout) {
  return {
      name, [=](const OpSize& size) {
        TokenField tokens{{}, size.layout()};
        for (int64_t r = 0; r < tokens.layout.rows(); ++r) {
          tokens.ids.push_back(static_cast<int32_t>(uniform_below(3, static_cast<uint64_t>(r), kWords)));
        }
        const int64_t width = size.width, longest = std::max(tokens.layout.longest(), 1);
        EmbeddingOptions options;
        options.scale = 1.5f;
        options.dropout = DropoutSite("case", dropout);
        if (positioned == Positioned::sinusoidal) {
          options.sinusoids = std::make_shared<SinusoidalPositions>(width);
        }
        OpInstance made;
        made.operands = {{"table", {kWords, width}, Operand::Kind::parameter}};
        if (positioned == Positioned::learned) {
          made.operands.push_back({"positions", {longest, width}, Operand::Kind::parameter});
        }
        made.run = [=](Context& c, const OpInputs& in) {
          EmbeddingOptions with = options;
          if (positioned == Positioned::learned) with.positions = &in.parameter(1);
          return std::vector{embedding(c, tokens, in.parameter(0), with)};
        };
        made.plain = [=](const std::vector<Values>& in) {
          Values positions, y(tokens.layout.rows() * width);
          if (positioned == Positioned::learned) positions = in[1];
          if (positioned == Positioned::sinusoidal) {
            const Tensor table = options.sinusoids->up_to(longest);
            positions.assign(table.data<float>(), table.data<float>() + table.size());
          }
          kernels::reference::embedding<double>({.rows = tokens.layout.rows(),
                                                 .width = width,
                                                 .ids = tokens.ids.data(),
                                                 .table = in[0].data(),
                                                 .scale = options.scale,
                                                 .positions = positions.empty() ? nullptr : positions.data(),
                                                 .position = tokens.layout.positions().data(),
                                                 .dropout = dropped_at(options.dropout),
                                                 .row_keys = tokens.layout.row_keys().data(),
                                                 .y = y.data()});
          return std::vector<Values>{y};
        };
        made.flops = 2.0 * static_cast<double>(size.rows() * width);
        return made;
      }};
}

}  // namespace

std::vector<Op> embedding_ops() {
  return {{"embedding",
           "embedding.h",
           "dropout(scale * table[id] + positions[position])",
           true,
           {embedding_case("words alone", Positioned::no, 0.0),
            embedding_case("sinusoidal", Positioned::sinusoidal, 0.0),
            embedding_case("learned", Positioned::learned, 0.0),
            embedding_case("learned with dropout", Positioned::learned, 0.3)}}};
}

}  // namespace heed::test
