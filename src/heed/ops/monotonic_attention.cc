#include "heed/ops/monotonic_attention.h"

#include <memory>
#include <numeric>

#include "heed/kernels/monotonic_attention.h"

namespace heed {
namespace {

// Which queries see which keys, and where their numbers stand.
struct MonotonicPairs {
  Layout queries;
  std::vector<int32_t> key_begin, key_end;
  std::vector<int64_t> pair_begin;
  int64_t pairs = 0;
};

MonotonicPairs pairs_of(const Layout& queries, std::span<const int32_t> first,
                        std::span<const int32_t> lengths) {
  require(static_cast<int64_t>(first.size()) == queries.sentences() && lengths.size() == first.size(),
          "monotonic attention: {} sentences query {}", queries.sentences(), first.size());
  MonotonicPairs pairs{.queries = queries, .key_begin = {}, .key_end = {}, .pair_begin = {}};
  for (size_t b = 0; b < first.size(); ++b) {
    pairs.key_begin.push_back(first[b]);
    pairs.key_end.push_back(first[b] + lengths[b]);
    pairs.pair_begin.push_back(pairs.pairs);
    pairs.pairs += static_cast<int64_t>(queries.length(static_cast<int64_t>(b))) * lengths[b];
  }
  return pairs;
}

void check(const Tensor& queries, const Layout& layout, const Tensor& keys, const Tensor& values) {
  require(queries.width() == keys.width() && keys.rows() == values.rows() && queries.rows() == layout.rows(),
          "monotonic attention: queries {}, keys {}, values {}", queries.shape().to_string(),
          keys.shape().to_string(), values.shape().to_string());
}

template <class T>
kernels::MonotonicAttentionArgs<T> arguments(const Tensor& queries, const Tensor& keys, const Tensor& values,
                                             const MonotonicPairs& pairs, const MonotonicOptions& options) {
  return {.sentences = pairs.queries.sentences(),
          .query_offsets = pairs.queries.offsets().data(),
          .key_begin = pairs.key_begin.data(),
          .key_end = pairs.key_end.data(),
          .width = queries.width(),
          .value_width = values.width(),
          .scale = options.scale,
          .offset = options.offset->value().data<float>(),
          .q = queries.data<T>(),
          .k = keys.data<T>(),
          .v = values.data<T>(),
          .q_stride = queries.row_stride(),
          .k_stride = keys.row_stride(),
          .v_stride = values.row_stride(),
          .pair_begin = pairs.pair_begin.data(),
          .query_row_keys = pairs.queries.row_keys().data()};
}

ProfileScope profiled(Context& c, const char* op, const MonotonicPairs& pairs, int64_t width, double passes) {
  return {c.profile, op, passes * static_cast<double>(pairs.pairs * 2 * width), 0.0};
}

}  // namespace

Var expected_monotonic_attention(Context& c, const Var& queries, const Layout& query_layout, const Var& keys,
                                 const Var& values, const Layout& key_layout,
                                 const MonotonicOptions& options) {
  check(queries.value, query_layout, keys.value, values.value);
  require(keys.rows() == key_layout.rows(), "monotonic attention: {} keys with a layout of {}", keys.rows(),
          key_layout.rows());
  std::vector<int32_t> lengths;
  for (int64_t b = 0; b < key_layout.sentences(); ++b) lengths.push_back(key_layout.length(b));
  auto pairs = std::make_shared<const MonotonicPairs>(
      pairs_of(query_layout, key_layout.offsets().first(lengths.size()), lengths));
  const int64_t widths = queries.width() + values.width();
  const ProfileScope scope = profiled(c, "monotonic attention", *pairs, widths, 1.0);
  const Tensor chosen = c.allocate(Shape{pairs->pairs}, DType::f32);
  const Tensor weights = c.allocate(Shape{pairs->pairs}, DType::f32);
  Var out(c.allocate(Shape{queries.rows(), values.width()}, queries.value.dtype()));
  dispatch(queries.value.dtype(), [&](auto zero) {
    using T = decltype(zero);
    auto args = arguments<T>(queries.value, keys.value, values.value, *pairs, options);
    args.out = out.value.data<T>();
    args.chosen = chosen.data<float>();
    args.weights = weights.data<float>();
    args.noise = c.training ? options.noise : 0.0f;
    args.noise_key = c.key(options.site);
    kernels::expected_monotonic_attention(c.pool, args);
  });
  if (!c.recording()) return out;
  c.tape->record(out, [queries, keys, values, pairs, chosen, weights, options, widths](Context& c,
                                                                                       const Tensor& d_out) {
    const ProfileScope scope = profiled(c, "monotonic attention gradient", *pairs, widths, 2.0);
    const Tensor dq = c.allocate(queries.shape(), d_out.dtype());
    const Tensor dk = c.allocate(keys.shape(), d_out.dtype());
    const Tensor dv = c.allocate(values.shape(), d_out.dtype());
    const Tensor parts = c.allocate(Shape{pairs->queries.sentences()}, DType::f32);
    dispatch(d_out.dtype(), [&](auto zero) {
      using T = decltype(zero);
      auto args = arguments<T>(queries.value, keys.value, values.value, *pairs, options);
      args.chosen = chosen.data<float>();
      args.weights = weights.data<float>();
      kernels::monotonic_attention_gradient(
          c.pool, kernels::MonotonicAttentionGradientArgs<T>{.forward = args,
                                                             .d_out = d_out.data<T>(),
                                                             .dq = dq.data<T>(),
                                                             .dk = dk.data<T>(),
                                                             .dv = dv.data<T>(),
                                                             .d_offset = parts.data<float>()});
    });
    const Tensor d_offset = c.allocate(options.offset->shape(), DType::f32);
    *d_offset.data<float>() = std::accumulate(parts.data<float>(), parts.data<float>() + parts.size(), 0.0f);
    if (queries.gradient) queries.gradient->add(c, dq);
    if (keys.gradient) keys.gradient->add(c, dk);
    if (values.gradient) values.gradient->add(c, dv);
    options.offset->gradient().add(c, d_offset);
  });
  return out;
}

MonotonicChoice hard_monotonic_attention(Context& c, const Tensor& queries, const Layout& query_layout,
                                         const Tensor& keys, const Tensor& values,
                                         const MonotonicSpans& spans, const MonotonicOptions& options) {
  check(queries, query_layout, keys, values);
  require(spans.attended.size() == spans.first.size(), "monotonic attention: {} places for {} sentences",
          spans.attended.size(), spans.first.size());
  const MonotonicPairs pairs = pairs_of(query_layout, spans.first, spans.lengths);
  MonotonicChoice choice{c.allocate(Shape{queries.rows(), values.width()}, queries.dtype()),
                         std::vector<int32_t>(static_cast<size_t>(queries.rows()))};
  dispatch(queries.dtype(), [&](auto zero) {
    using T = decltype(zero);
    auto args = arguments<T>(queries, keys, values, pairs, options);
    args.out = choice.out.data<T>();
    args.attended = spans.attended.data();
    args.found = choice.found.data();
    kernels::hard_monotonic_attention(c.pool, args);
  });
  return choice;
}

}  // namespace heed
