// docs/attention.md: its example through heed's ops, and every number of the page.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cmath>

#include "heed/base/file.h"
#include "heed/ops/attention.h"
#include "heed/ops/linear.h"
#include "tests/support/levels.h"

namespace heed::test {
namespace {

using Rows = std::vector<std::vector<float>>;

const Rows kInputs = {{1, 0, 1, 0}, {0, 2, 0, 2}, {1, 1, 1, 1}};
const Rows kQueryWeight = {{1, 0, 1}, {1, 0, 0}, {0, 0, 1}, {0, 1, 1}};
const Rows kKeyWeight = {{0, 0, 1}, {1, 1, 0}, {0, 1, 0}, {1, 1, 0}};
const Rows kValueWeight = {{0, 2, 0}, {0, 3, 0}, {1, 0, 3}, {1, 1, 0}};

Tensor tensor_of(const Rows& rows) {
  std::vector<float> values;
  for (const auto& row : rows) values.insert(values.end(), row.begin(), row.end());
  return Tensor::of({static_cast<int64_t>(rows.size()), static_cast<int64_t>(rows.front().size())}, values);
}

Rows rows_of(const Tensor& tensor) {
  Rows rows;
  for (int64_t r = 0; r < tensor.rows(); ++r)
    rows.emplace_back(tensor.row<float>(r), tensor.row<float>(r) + tensor.width());
  return rows;
}

// "[1, 0, 2]", "[0.0634, 0.4683, 0.4683]"
std::string shown(const std::vector<float>& row) {
  std::string text;
  for (const float value : row) {
    const bool whole = std::abs(value - std::round(value)) < 1e-6f;
    text +=
        (text.empty() ? "[" : ", ") + (whole ? fmt::format("{:.0f}", value) : fmt::format("{:.4f}", value));
  }
  return text + "]";
}

// One row of a table of the page.
std::string line(const std::string& title, const Rows& cells) {
  std::string text = "| " + title + " |";
  for (const auto& cell : cells) text += " " + shown(cell) + " |";
  return text + "\n";
}

// Queries, keys and values side by side in one weight, transposed: [9, 4].
Tensor joined_weight() {
  Rows weight;
  for (const Rows& matrix : {kQueryWeight, kKeyWeight, kValueWeight}) {
    for (size_t column = 0; column < 3; ++column) {
      weight.emplace_back();
      for (const auto& row : matrix) weight.back().push_back(row[column]);
    }
  }
  return tensor_of(weight);
}

TEST(AttentionPage, EveryNumberIsWhatTheOpsCompute) {
  const std::string page = read_file(HEED_SOURCE_DIR "/docs/attention.md");
  const auto expect_line = [&](const std::string& title, const Rows& cells) {
    EXPECT_NE(page.find(line(title, cells)), std::string::npos)
        << "not in docs/attention.md: " << line(title, cells);
  };
  expect_line("inputs X", kInputs);
  expect_line("W_q", kQueryWeight);
  expect_line("W_k", kKeyWeight);
  expect_line("W_v", kValueWeight);

  on_each_level([&] {
    Context c(2);
    c.arena.fill_with_nan(true);
    const Parameter weight("weight", joined_weight());
    const Layout layout = Layout::of_lengths(std::vector<int32_t>{3});
    const AttentionOptions options{.heads = 1, .scaled = false, .dropout = {}};

    const Var projected = linear(c, Var(tensor_of(kInputs)), weight);  // [3, 9]
    const Tensor queries = projected.value.columns(0, 3), keys = projected.value.columns(3, 6);
    expect_line("W_q: queries", rows_of(queries));
    expect_line("W_k: keys", rows_of(keys));
    expect_line("W_v: values", rows_of(projected.value.columns(6, 9)));

    const Parameter as_weight("keys", keys.keep());
    const Tensor scores = linear(c, Var(queries.keep()), as_weight).value;  // [3, 3]
    const Tensor weights =
        attention_weights(c, queries, layout, keys, layout, options).front().reshaped({3, 3});
    const Tensor output = self_attention(c, projected, layout, options).value;  // [3, 3]
    for (size_t word = 0; word < 3; ++word) {
      expect_line(fmt::format("word {}", word + 1),
                  {rows_of(scores)[word], rows_of(weights)[word], rows_of(output)[word]});
    }
  });
}

}  // namespace
}  // namespace heed::test
