#include "heed/ops/embedding.h"

#include <algorithm>
#include <cmath>

#include "heed/kernels/layer.h"

namespace heed {
namespace {

void check(const TokenField& tokens, int64_t words, int64_t positions) {
  require(static_cast<int64_t>(tokens.ids.size()) == tokens.layout.rows(), "embedding: {} ids for {} rows",
          tokens.ids.size(), tokens.layout.rows());
  for (const int32_t id : tokens.ids) {
    if (id < 0 || id >= words) fail_input("token id {} is outside the vocabulary of {} words", id, words);
  }
  if (positions >= 0 && tokens.layout.positions_end() > positions) {
    fail_input("a sentence of {} tokens is longer than the model's {} positions",
               tokens.layout.positions_end(), positions);
  }
}

}  // namespace

Var embedding(Context& c, const TokenField& tokens, const Parameter& table, const EmbeddingOptions& options) {
  const Layout& layout = tokens.layout;
  const Tensor positions = options.positions   ? options.positions->value()
                           : options.sinusoids ? options.sinusoids->up_to(layout.positions_end())
                                               : Tensor();
  check(tokens, table.shape().rows(), positions ? positions.rows() : -1);
  require(!positions || positions.width() == table.shape().width(),
          "embedding: positions of width {}, words of {}", positions ? positions.width() : 0,
          table.shape().width());

  const kernels::Dropout dropped = options.dropout.in(c);
  const auto numbers = static_cast<double>(layout.rows() * table.shape().width());
  Var y(c.allocate(Shape{layout.rows(), table.shape().width()}));
  const ProfileScope scope(c.profile, "embedding", 2.0 * numbers,
                           numbers * static_cast<double>(4 + size_of(c.precision)));
  dispatch(y.value.dtype(), [&](auto zero) {
    using T = decltype(zero);
    kernels::embedding(c.pool, {.rows = layout.rows(),
                                .width = table.shape().width(),
                                .ids = tokens.ids.data(),
                                .table = table.value().data<float>(),
                                .scale = options.scale,
                                .positions = positions.data_or_null<float>(),
                                .position = layout.positions().data(),
                                .dropout = dropped,
                                .row_keys = layout.row_keys().data(),
                                .y = y.value.data<T>()});
  });
  if (!c.recording()) return y;

  c.tape->record(
      y, [tokens, dropped, scale = options.scale, table = table.var(c),
          learned = options.positions ? options.positions->var(c) : Var()](Context& c, const Tensor& dy) {
        const auto numbers = static_cast<double>(dy.size());
        const ProfileScope scope(c.profile, "embedding gradient", 2.0 * numbers,
                                 numbers * static_cast<double>(8 + size_of(dy.dtype())));
        Tensor& d_table = table.gradient->accumulator(c, table.shape());
        Tensor* d_positions = learned ? &learned.gradient->accumulator(c, learned.shape()) : nullptr;
        dispatch(dy.dtype(), [&](auto zero) {
          using T = decltype(zero);
          kernels::embedding_gradient(c.pool,
                                      {.rows = dy.rows(),
                                       .width = dy.width(),
                                       .ids = tokens.ids.data(),
                                       .scale = scale,
                                       .position = tokens.layout.positions().data(),
                                       .dropout = dropped,
                                       .row_keys = tokens.layout.row_keys().data(),
                                       .dy = dy.data<T>(),
                                       .d_table = d_table.data<float>(),
                                       .d_positions = d_positions ? d_positions->data<float>() : nullptr});
        });
      });
  return y;
}

DistinctTokens distinct_tokens(const TokenField& tokens, int64_t words_there_are) {
  check(tokens, words_there_are, -1);
  DistinctTokens distinct;
  std::vector<int32_t>& words = distinct.words.ids;
  words = tokens.ids;
  std::sort(words.begin(), words.end());
  words.erase(std::unique(words.begin(), words.end()), words.end());
  distinct.words.layout = Layout::of_lengths(std::vector{static_cast<int32_t>(words.size())});
  const int64_t range = words.empty() ? 0 : words.back() + int64_t{1} - words.front();
  std::vector<int32_t> place(static_cast<size_t>(range));
  for (size_t i = 0; i < words.size(); ++i)
    place[static_cast<size_t>(words[i] - words.front())] = static_cast<int32_t>(i);
  auto row_of = std::make_shared<std::vector<int32_t>>(tokens.ids.size());
  std::transform(tokens.ids.begin(), tokens.ids.end(), row_of->begin(),
                 [&](int32_t id) { return place[static_cast<size_t>(id - words.front())]; });
  distinct.row_of = std::move(row_of);
  return distinct;
}

TokenField drop_words(const Context& c, const TokenField& tokens, const DropoutSite& site) {
  if (!c.training || site.probability == 0.0f) return tokens;
  TokenField dropped = tokens;
  const uint64_t key = c.key(site.site);
  const std::span<const uint64_t> rows = tokens.layout.row_keys();
  for (size_t r = 0; r < dropped.ids.size(); ++r) {
    if (dropped.ids[r] != kEndToken && uniform(key, rows[r]) < site.probability)
      dropped.ids[r] = kUnknownToken;
  }
  return dropped;
}

Tensor SinusoidalPositions::up_to(int64_t length) {
  const std::lock_guard lock(growing_);
  if (table_ && table_.rows() >= length) return table_;
  table_ = Tensor::empty({std::max<int64_t>({length, table_ ? 2 * table_.rows() : 0, 256}), width_});
  const int64_t sines = (width_ + 1) / 2;
  for (int64_t position = 0; position < table_.rows(); ++position) {
    float* row = table_.row<float>(position);
    for (int64_t column = 0; column < width_; ++column) {
      const double exponent = static_cast<double>(column - column % 2) / static_cast<double>(width_);
      const double angle = static_cast<double>(position) * std::pow(10000.0, -exponent);
      const int64_t place = order_ == Order::interleaved ? column : column % 2 * sines + column / 2;
      row[place] = static_cast<float>(column % 2 == 0 ? std::sin(angle) : std::cos(angle));
    }
  }
  return table_;
}

}  // namespace heed
