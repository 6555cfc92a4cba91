#include "heed/ops/rows.h"

#include <algorithm>

#include "tests/ops/cases/cases.h"

namespace heed::test {
namespace {

OpCase concat_case() {
  return {"two parts", [](const OpSize& size) {
            const int64_t rows = size.rows(), width = size.width, all = 2 * width + 5;
            OpInstance made;
            made.operands = {{"left", {rows, width}}, {"right", {rows, width + 5}}};
            made.run = [](Context& c, const OpInputs& in) {
              return std::vector{concat_columns(c, {in.var(0), in.var(1)})};
            };
            made.plain = [=](const std::vector<Values>& in) {
              Values y;
              for (int64_t r = 0; r < rows; ++r) {
                for (int64_t j = 0; j < all; ++j)
                  y.push_back(j < width ? in[0][r * width + j] : in[1][r * (width + 5) + j - width]);
              }
              return std::vector<Values>{y};
            };
            return made;
          }};
}

// Every third row of the stack, then the first again, twice.
OpCase gather_case() {
  return {"some rows, some twice", [](const OpSize& size) {
            const int64_t rows = size.rows(), width = size.width;
            std::vector<int32_t> chosen;
            for (int64_t r = 0; r < rows + 2; r += 3) chosen.push_back(static_cast<int32_t>(r));
            chosen.insert(chosen.end(), {0, 0});
            OpInstance made;
            made.operands = {{"first", {rows, width}}, {"second", {2, width}}};
            made.run = [=](Context& c, const OpInputs& in) {
              return std::vector{gather_rows(c, {in.var(0), in.var(1)}, chosen)};
            };
            made.plain = [=](const std::vector<Values>& in) {
              Values stack = in[0], y;
              stack.insert(stack.end(), in[1].begin(), in[1].end());
              for (const int32_t r : chosen)
                y.insert(y.end(), stack.begin() + r * width, stack.begin() + (r + 1) * width);
              return std::vector<Values>{y};
            };
            return made;
          }};
}

// Rows by turns to three groups, the last first; the middle group may stay without a gradient.
OpCase split_case(const std::string& name, std::vector<size_t> read) {
  return {name, [read](const OpSize& size) {
            const int64_t rows = size.rows(), width = size.width;
            std::vector<std::vector<int32_t>> groups(3);
            for (int64_t r = rows - 1; r >= 0; --r) groups[r % 3].push_back(static_cast<int32_t>(r));
            OpInstance made;
            made.operands = {{"x", {rows, width}}};
            made.run = [=](Context& c, const OpInputs& in) {
              const std::vector<Var> parts = split_rows(c, in.var(0), groups);
              std::vector<Var> out;
              for (const size_t p : read) out.push_back(parts[p]);
              return out;
            };
            made.plain = [=](const std::vector<Values>& in) {
              std::vector<Values> out;
              for (const size_t p : read) {
                Values& y = out.emplace_back();
                for (const int32_t r : groups[p])
                  y.insert(y.end(), in[0].begin() + r * width, in[0].begin() + (r + 1) * width);
              }
              return out;
            };
            return made;
          }};
}

OpCase mean_case() {
  return {"plain", [](const OpSize& size) {
            const int64_t width = size.width;
            const Layout layout = size.layout();
            OpInstance made;
            made.operands = {{"x", {layout.rows(), width}}};
            made.run = [=](Context& c, const OpInputs& in) {
              return std::vector{mean_rows(c, in.var(0), layout)};
            };
            made.plain = [=](const std::vector<Values>& in) {
              Values y(layout.sentences() * width);
              for (int64_t b = 0; b < layout.sentences(); ++b) {
                for (int64_t r = layout.begin(b); r < layout.end(b); ++r)
                  for (int64_t j = 0; j < width; ++j)
                    y[b * width + j] += in[0][r * width + j] / layout.length(b);
              }
              return std::vector<Values>{y};
            };
            made.flops = static_cast<double>(layout.rows() * width);
            return made;
          }};
}

OpCase max_case() {
  return {"plain", [](const OpSize& size) {
            const int64_t width = size.width;
            const Layout layout = size.layout();
            OpInstance made;
            made.operands = {{"x", {layout.rows(), width}}};
            made.run = [=](Context& c, const OpInputs& in) {
              return std::vector{max_rows(c, in.var(0), layout)};
            };
            made.plain = [=](const std::vector<Values>& in) {
              Values y(layout.sentences() * width);
              for (int64_t b = 0; b < layout.sentences(); ++b) {
                for (int64_t r = layout.begin(b); r < layout.end(b); ++r)
                  for (int64_t j = 0; j < width; ++j) {
                    double& largest = y[b * width + j];
                    const double value = in[0][r * width + j];
                    largest = r == layout.begin(b) ? value : std::max(largest, value);
                  }
              }
              return std::vector<Values>{y};
            };
            made.flops = static_cast<double>(layout.rows() * width);
            return made;
          }};
}

}  // namespace

std::vector<Op> rows_ops() {
  return {{"concat_columns", "rows.h", "parts side by side", true, {concat_case()}},
          {"gather_rows", "rows.h", "named rows of a stack", true, {gather_case()}},
          {"split_rows",
           "rows.h",
           "the rows of each group, every row in one",
           true,
           {split_case("three groups", {0, 1, 2}), split_case("one not read", {0, 2})}},
          {"mean_rows", "rows.h", "the mean of each sentence's rows", true, {mean_case()}},
          {"max_rows", "rows.h", "the largest of each sentence's rows, by columns", true, {max_case()}}};
}

}  // namespace heed::test
