#include "heed/ops/local_attention.h"

#include <cmath>
#include <memory>

#include "heed/kernels/local_attention.h"
#include "heed/ops/attention_parts.h"

namespace heed {
namespace {

// Which queries see which keys, and where the queries stand.
struct Windows {
  AttentionPairs pairs;
  std::vector<int32_t> positions;  // [R_q]
};

Windows windows_of(const Tensor& queries, const Layout& query_layout, const Tensor& keys,
                   const Layout& key_layout) {
  require(queries.rows() == query_layout.rows() && keys.rows() == key_layout.rows(),
          "local attention: {} and {} rows with layouts of {} and {}", queries.rows(), keys.rows(),
          query_layout.rows(), key_layout.rows());
  const std::span<const int32_t> positions = query_layout.positions();
  return {AttentionPairs(query_layout, key_layout), {positions.begin(), positions.end()}};
}

void check(const Tensor& queries, const Tensor& places, const Tensor& keys, const Tensor& values,
           const LocalAttentionOptions& options) {
  require(options.reach >= 1, "local attention: a reach of {}", options.reach);
  require(queries.width() == keys.width() &&
              (options.score == nullptr || options.score->value().size() == keys.width()),
          "local attention: queries and keys of widths {} and {}", queries.width(), keys.width());
  require(keys.rows() == values.rows(), "local attention: {} keys for {} values", keys.rows(), values.rows());
  require(!places || (places.size() == queries.rows() && places.is_dense()),
          "local attention: {} places for {} queries", places ? places.size() : 0, queries.rows());
}

template <class T>
kernels::LocalAttentionArgs<T> arguments(const Windows& windows, const Tensor& queries, const Tensor& places,
                                         const Tensor& keys, const Tensor& values,
                                         const LocalAttentionOptions& options) {
  const AttentionPairs& pairs = windows.pairs;
  return {.sentences = pairs.sentences(),
          .query_offsets = pairs.query_offsets.data(),
          .key_begin = pairs.key_begin.data(),
          .key_end = pairs.key_end.data(),
          .positions = windows.positions.data(),
          .reach = options.reach,
          .width = queries.width(),
          .value_width = values.width(),
          .q = queries.data<T>(),
          .k = keys.data<T>(),
          .v = values.data<T>(),
          .q_stride = queries.row_stride(),
          .k_stride = keys.row_stride(),
          .v_stride = values.row_stride(),
          .score = data_or_null(options.score),
          .scale = options.scaled ? 1.0f / std::sqrt(static_cast<float>(queries.width())) : 1.0f,
          .places = places.data_or_null<T>()};
}

// A score and a weighted value for each key of a whole window.
ProfileScope profiled(Context& c, const char* op, const Tensor& queries, const Tensor& values,
                      const LocalAttentionOptions& options, double passes) {
  const int64_t of_key = (options.score != nullptr ? 12 : 2) * queries.width() + 2 * values.width();
  return {c.profile, op, passes * static_cast<double>(queries.rows() * (2 * options.reach + 1) * of_key),
          0.0};
}

Tensor run(Context& c, const Windows& windows, const Tensor& queries, const Tensor& places,
           const Tensor& keys, const Tensor& values, const LocalAttentionOptions& options) {
  check(queries, places, keys, values, options);
  const ProfileScope scope = profiled(c, "local attention", queries, values, options, 1.0);
  Tensor out = c.allocate(Shape{queries.rows(), values.width()}, queries.dtype());
  dispatch(queries.dtype(), [&](auto zero) {
    using T = decltype(zero);
    auto args = arguments<T>(windows, queries, places, keys, values, options);
    args.out = out.data<T>();
    kernels::local_attention(c.pool, args);
  });
  return out;
}

}  // namespace

Var local_attention(Context& c, const Var& queries, const Layout& query_layout, const Var& places,
                    const Var& keys, const Var& values, const Layout& key_layout,
                    const LocalAttentionOptions& options) {
  auto windows =
      std::make_shared<const Windows>(windows_of(queries.value, query_layout, keys.value, key_layout));
  Var out(run(c, *windows, queries.value, places.value, keys.value, values.value, options));
  if (!c.recording()) return out;
  c.tape->record(out, [=](Context& c, const Tensor& d_out) {
    const ProfileScope scope =
        profiled(c, "local attention gradient", queries.value, values.value, options, 3.0);
    const DType dtype = d_out.dtype();
    const Tensor dq = c.allocate(queries.shape(), dtype), dk = c.allocate(keys.shape(), dtype),
                 dv = c.allocate(values.shape(), dtype);
    const Tensor d_places = places ? c.allocate(places.shape(), dtype) : Tensor();
    const Tensor d_score = options.score != nullptr
                               ? c.allocate(Shape{windows->pairs.sentences(), queries.width()}, DType::f32)
                               : Tensor();
    dispatch(dtype, [&](auto zero) {
      using T = decltype(zero);
      kernels::local_attention_gradient(
          c.pool, kernels::LocalAttentionGradientArgs<T>{
                      .forward = arguments<T>(*windows, queries.value, places.value, keys.value, values.value,
                                              options),
                      .d_out = d_out.data<T>(),
                      .d_out_stride = d_out.row_stride(),
                      .dq = dq.data<T>(),
                      .dk = dk.data<T>(),
                      .dv = dv.data<T>(),
                      .d_places = d_places.data_or_null<T>(),
                      .d_score = d_score.data_or_null<float>()});
    });
    if (queries.gradient) queries.gradient->add(c, dq);
    if (places.gradient) places.gradient->add(c, d_places);
    if (keys.gradient) keys.gradient->add(c, dk);
    if (values.gradient) values.gradient->add(c, dv);
    if (d_score) add_row_sums(*options.score, c, d_score);
  });
  return out;
}

Var local_attention_step(Context& c, const Tensor& queries, std::span<const int32_t> positions,
                         const Tensor& places, const Tensor& keys, const Tensor& values,
                         const AttentionSpans& spans, const LocalAttentionOptions& options) {
  const Windows windows{AttentionPairs(spans), {positions.begin(), positions.end()}};
  require(
      windows.pairs.queries() == queries.rows() && static_cast<int64_t>(positions.size()) == queries.rows(),
      "local attention: {} spans and {} positions for {} queries", windows.pairs.queries(), positions.size(),
      queries.rows());
  return Var(run(c, windows, queries, places, keys, values, options));
}

std::vector<Tensor> local_attention_weights(Context& c, const Tensor& queries, const Layout& query_layout,
                                            const Tensor& places, const Tensor& keys,
                                            const Layout& key_layout, const LocalAttentionOptions& options) {
  const Windows windows = windows_of(queries, query_layout, keys, key_layout);
  check(queries, places, keys, keys, options);
  const Tensor weights = c.allocate(Shape{windows.pairs.weights()}, DType::f32);
  dispatch(queries.dtype(), [&](auto zero) {
    using T = decltype(zero);
    auto args = arguments<T>(windows, queries, places, keys, keys, options);
    args.weight_begin = windows.pairs.weight_begin.data();
    args.weights = weights.data<float>();
    kernels::local_attention(c.pool, args);
  });
  return windows.pairs.cut_into_sentences(weights);
}

}  // namespace heed
