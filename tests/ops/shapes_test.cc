// What does not fit together is an error, and nothing is read or written beyond it.
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <utility>

#include "heed/ops/additive_attention.h"
#include "heed/ops/attention.h"
#include "heed/ops/embedding.h"
#include "heed/ops/linear.h"
#include "heed/ops/local_attention.h"
#include "heed/ops/norm.h"
#include "heed/ops/output.h"
#include "heed/ops/recurrent.h"
#include "heed/ops/rotary.h"
#include "heed/ops/rows.h"
#include "tests/support/sentences.h"

namespace heed::test {
namespace {

Parameter parameter(const Shape& shape) {
  return {"p", Tensor::zeros(shape)};
}

TEST(Shapes, GainsAndBiasesAreAsWideAsWhatTheyChange) {
  Context c(1);
  const Var x(Tensor::zeros(Shape{2, 8}));
  const Parameter eight = parameter(Shape{8}), six = parameter(Shape{6}), weight = parameter(Shape{4, 8});
  EXPECT_THROW(layer_norm(c, x, {.gain = &six, .bias = &eight}), Error);
  EXPECT_THROW(layer_norm(c, x, {.gain = &eight, .bias = &six}), Error);
  EXPECT_THROW(linear(c, x, weight, &six), Error);
  EXPECT_THROW(output_loss(c, x, weight, &six, {0, 1}, 0.0), Error);
  const Parameter recurrent_weight = parameter(Shape{24, 8});
  RecurrentPass pass;
  pass.gates_x = Var(Tensor::zeros(Shape{2, 24}));
  pass.weight = &recurrent_weight;
  pass.bias = &six;
  EXPECT_THROW(recurrent(c, kernels::Cell::gru, {pass}, Layout::of_lengths(std::vector<int32_t>{2})), Error);
}

TEST(Shapes, PositionsAreAsWideAsWords) {
  Context c(1);
  const Parameter table = parameter(Shape{5, 8}), positions = parameter(Shape{9, 6});
  const TokenField field = tokens({{3, 0}});
  EmbeddingOptions options;
  options.positions = &positions;
  EXPECT_THROW(embedding(c, field, table, options), Error);
  EXPECT_THROW(distinct_tokens(tokens({{2'000'000'000, 0}}), 5), InputError);
  SinusoidalPositions interleaved(4);
  EXPECT_THROW(rotary(c, Var(Tensor::zeros(Shape{2, 8})), field.layout, interleaved, 8), Error);
}

TEST(Shapes, KeysAreAsWideAsQueriesAndAsManyAsCausalOnesNeed) {
  Context c(1);
  const Tensor four = Tensor::zeros(Shape{3, 4}), eight = Tensor::zeros(Shape{3, 8}),
               few = Tensor::zeros(Shape{2, 8});
  const Layout three = Layout::of_lengths(std::vector<int32_t>{3}),
               two = Layout::of_lengths(std::vector<int32_t>{2});
  AttentionOptions heads, causal;
  heads.heads = causal.heads = 2;
  causal.causal = true;
  EXPECT_THROW(attention_weights(c, eight, three, four, three, heads), Error);
  EXPECT_THROW(attention_weights(c, eight, three, few, two, causal), Error);
  EXPECT_NO_THROW(attention_weights(c, eight, three, few, two, heads));
  const std::vector<int32_t> offsets = {0, 1, 3}, rows = {0, 1, 2};
  EXPECT_THROW(attention_step(c, few, eight, eight, {offsets, {}, {}}, heads), Error);
  EXPECT_THROW(attention_step(c, few, eight, few, {offsets, rows, {}}, heads), Error);
}

// Of attention that is not by dot products alone.
TEST(Shapes, QueriesAndKeysAreAsManyAsTheirLayoutsSay) {
  Context c(1);
  const Parameter score = parameter(Shape{1, 4});
  const Tensor x = Tensor::zeros(Shape{3, 4});
  const Layout three = Layout::of_lengths(std::vector<int32_t>{3}),
               four = Layout::of_lengths(std::vector<int32_t>{4});
  for (const auto& [queries, keys] : {std::pair(three, four), std::pair(four, three)}) {
    EXPECT_THROW(local_attention(c, Var(x), queries, Var(), Var(x), Var(x), keys, {}), Error);
    EXPECT_THROW(local_attention_weights(c, x, queries, Tensor(), x, keys, {}), Error);
    EXPECT_THROW(additive_attention(c, Var(x), queries, Var(x), Var(x), keys, score), Error);
    EXPECT_THROW(additive_attention_weights(c, x, queries, x, keys, score), Error);
  }
  EXPECT_NO_THROW(local_attention_weights(c, x, three, Tensor(), x, three, {}));
  EXPECT_NO_THROW(additive_attention_weights(c, x, three, x, three, score));
  const std::vector<int32_t> offsets = {0, 1, 2, 3}, first = {0, 0, 0}, positions = {0, 1};
  EXPECT_THROW(local_attention_step(c, x, positions, Tensor(), x, x, {offsets, {}, first}, {}), Error);
}

// Nothing says which keys fewer queries than keys would see.
TEST(Shapes, CausalQueriesAreAsManyAsKeys) {
  Context c(1);
  constexpr int64_t width = 8;
  const Tensor ten = Tensor::zeros(Shape{10, width}), hundred = Tensor::zeros(Shape{100, width}),
               hundred_pairs = Tensor::zeros(Shape{100, 2 * width});
  const Layout queries = Layout::of_lengths(std::vector<int32_t>{10}),
               keys = Layout::of_lengths(std::vector<int32_t>{100});
  for (const bool causal : {false, true}) {
    const AttentionOptions options{.heads = 2, .causal = causal, .dropout = {}};
    const auto attend = [&] { cross_attention(c, Var(ten), queries, Var(hundred_pairs), keys, options); };
    const auto attend_apart = [&] {
      cross_attention(c, Var(ten), queries, Var(hundred), Var(hundred), keys, options);
    };
    const auto look = [&] { attention_weights(c, ten, queries, hundred, keys, options); };
    if (causal) {
      EXPECT_THROW(attend(), Error);
      EXPECT_THROW(attend_apart(), Error);
      EXPECT_THROW(look(), Error);
    } else {
      EXPECT_NO_THROW(attend());
      EXPECT_NO_THROW(attend_apart());
      EXPECT_NO_THROW(look());
    }
    // As many of them, but not in each sentence.
    const Layout here = Layout::of_lengths(std::vector<int32_t>{4, 6}),
                 there = Layout::of_lengths(std::vector<int32_t>{6, 4});
    const auto crossed = [&] { cross_attention(c, Var(ten), here, Var(ten), Var(ten), there, options); };
    if (causal) {
      EXPECT_THROW(crossed(), Error);
    } else {
      EXPECT_NO_THROW(crossed());
    }
    EXPECT_NO_THROW(cross_attention(c, Var(ten), here, Var(ten), Var(ten), here, options));
  }
}

TEST(Shapes, OfRowsTakenApart) {
  Context c(1);
  const Var x(Tensor::zeros(Shape{3, 2}));
  EXPECT_EQ(split_rows(c, x, {{2}, {}, {0, 1}}).size(), 3u);
  EXPECT_THROW(split_rows(c, x, {{0, 1}}), Error);
  EXPECT_THROW(split_rows(c, x, {{0, 1}, {1, 2}}), Error);
  EXPECT_THROW(split_rows(c, x, {{0, 1, 2, 3}}), Error);
  EXPECT_THROW(split_rows(c, x, {{0, 1, -1}}), Error);
}

// No rows leave gradients that are zeros.
TEST(Shapes, NoRowsGiveNoGradient) {
  Context c(1);
  Tape tape;
  c.tape = &tape;
  const Parameter weight = parameter(Shape{4, 8});
  const Var x(Tensor::zeros(Shape{0, 8}));
  const OutputLoss loss = r_drop_loss(c, x, x, weight, nullptr, {}, 0.1, 1.0);
  tape.backward(c, loss.sum);
  const Tensor gradient = weight.gradient().take(c);
  for (int64_t i = 0; i < gradient.size(); ++i) EXPECT_EQ(gradient.data<float>()[i], 0.0f);
}

TEST(Shapes, MaximaKeepWhatIsNoNumber) {
  Context c(1);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const int64_t row : {0, 1, 2}) {
    const Tensor x = Tensor::zeros(Shape{3, 1});
    x.data<float>()[row] = nan;
    const Var largest = max_rows(c, Var(x), Layout::of_lengths(std::vector<int32_t>{3}));
    EXPECT_TRUE(std::isnan(largest.value.item())) << row;
  }
}

}  // namespace
}  // namespace heed::test
