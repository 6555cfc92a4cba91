#include "heed/ops/additive_attention.h"

#include <memory>

#include "heed/kernels/additive_attention.h"
#include "heed/ops/attention_parts.h"

namespace heed {
namespace {

void check(const Tensor& queries, const Tensor& keys, const Tensor& values, const Parameter& score) {
  const int64_t width = score.value().size();
  require(queries.width() == width && keys.width() == width,
          "additive attention {}: queries and keys of widths {} and {} for scores of width {}", score.name(),
          queries.width(), keys.width(), width);
  require(keys.rows() == values.rows(), "additive attention {}: {} keys for {} values", score.name(),
          keys.rows(), values.rows());
}

void check_layouts(const Tensor& queries, const Layout& query_layout, const Tensor& keys,
                   const Layout& key_layout, const Parameter& score) {
  require(queries.rows() == query_layout.rows() && keys.rows() == key_layout.rows(),
          "additive attention {}: {} and {} rows with layouts of {} and {}", score.name(), queries.rows(),
          keys.rows(), query_layout.rows(), key_layout.rows());
}

template <class T>
kernels::AdditiveAttentionArgs<T> arguments(const Tensor& queries, const Tensor& keys, const Tensor& values,
                                            const AttentionPairs& pairs, const Parameter& score,
                                            const Tensor& weights, const Tensor& out, const Guide& guide = {},
                                            const Tensor& guided = Tensor()) {
  return {.sentences = pairs.sentences(),
          .query_offsets = pairs.query_offsets.data(),
          .key_begin = pairs.key_begin.data(),
          .key_end = pairs.key_end.data(),
          .width = queries.width(),
          .value_width = values.width(),
          .q = queries.data<T>(),
          .k = keys.data<T>(),
          .v = values.data<T>(),
          .q_stride = queries.row_stride(),
          .k_stride = keys.row_stride(),
          .v_stride = values.row_stride(),
          .score = score.value().data<float>(),
          .weight_begin = pairs.weight_begin.data(),
          .weights = weights.data<float>(),
          .out = out.data_or_null<T>(),
          .guide = guide.for_kernel(),
          .guided = guided.data_or_null<float>()};
}

// tanh, its factor and the sums, a pair and column; then the weighted sum of values.
ProfileScope profiled(Context& c, const char* op, const AttentionPairs& pairs, int64_t width,
                      int64_t value_width, double passes) {
  return {c.profile, op, passes * static_cast<double>(pairs.weights() * (12 * width + 2 * value_width)), 0.0};
}

Tensor run(Context& c, const Tensor& queries, const Tensor& keys, const Tensor& values,
           const AttentionPairs& pairs, const Parameter& score, const Tensor& weights,
           const Guide& guide = {}, const Tensor& guided = Tensor()) {
  check(queries, keys, values, score);
  const ProfileScope scope = profiled(c, "additive attention", pairs, queries.width(), values.width(), 1.0);
  Tensor out = c.allocate(Shape{queries.rows(), values.width()}, queries.dtype());
  dispatch(queries.dtype(), [&](auto zero) {
    using T = decltype(zero);
    kernels::additive_attention(
        c.pool, arguments<T>(queries, keys, values, pairs, score, weights, out, guide, guided));
  });
  return out;
}

}  // namespace

GuidedAttention additive_attention(Context& c, const Var& queries, const Layout& query_layout,
                                   const Var& keys, const Var& values, const Layout& key_layout,
                                   const Parameter& score, const Guide& guide) {
  check_layouts(queries.value, query_layout, keys.value, key_layout, score);
  auto pairs = std::make_shared<const AttentionPairs>(query_layout, key_layout);
  const Tensor weights = c.allocate(Shape{pairs->weights()}, DType::f32);
  GuidedAttention attended;
  if (guide) {
    require(static_cast<int64_t>(guide.places->size()) == queries.rows(),
            "additive attention {}: a guide of {} rows for {} queries", score.name(), guide.places->size(),
            queries.rows());
    attended.sums = Var(c.allocate(Shape{queries.rows(), 1}, DType::f32));
  }
  attended.out = Var(
      run(c, queries.value, keys.value, values.value, *pairs, score, weights, guide, attended.sums.value));
  if (!c.recording()) return attended;
  auto d_sums = std::make_shared<Gradient>();
  if (guide) attended.sums.gradient = d_sums;
  c.tape->record(attended.out, [queries, keys, values, pairs, weights, &score, guide, d_sums](
                                   Context& c, const Tensor& d_out) {
    const ProfileScope scope =
        profiled(c, "additive attention gradient", *pairs, queries.width(), values.width(), 2.0);
    const Tensor dq = c.allocate(queries.shape(), d_out.dtype());
    const Tensor dk = c.allocate(keys.shape(), d_out.dtype());
    const Tensor dv = c.allocate(values.shape(), d_out.dtype());
    const Tensor d_guided = d_sums->take(c);
    const Tensor d_score = c.allocate(Shape{pairs->sentences(), queries.width()}, DType::f32);
    dispatch(d_out.dtype(), [&](auto zero) {
      using T = decltype(zero);
      kernels::additive_attention_gradient(
          c.pool, kernels::AdditiveAttentionGradientArgs<T>{
                      .forward = arguments<T>(queries.value, keys.value, values.value, *pairs, score, weights,
                                              Tensor(), guide),
                      .d_out = d_out.data<T>(),
                      .d_out_stride = d_out.row_stride(),
                      .d_guided = d_guided.data_or_null<float>(),
                      .dq = dq.data<T>(),
                      .dk = dk.data<T>(),
                      .dv = dv.data<T>(),
                      .d_score = d_score.data<float>()});
    });
    if (queries.gradient) queries.gradient->add(c, dq);
    if (keys.gradient) keys.gradient->add(c, dk);
    if (values.gradient) values.gradient->add(c, dv);
    add_row_sums(score, c, d_score);
  });
  return attended;
}

Var additive_attention_step(Context& c, const Tensor& queries, const Tensor& keys, const Tensor& values,
                            const AttentionSpans& spans, const Parameter& score) {
  const AttentionPairs pairs(spans);
  require(pairs.queries() == queries.rows(), "additive attention {}: {} spans for {} queries", score.name(),
          pairs.queries(), queries.rows());
  const Tensor weights = c.allocate(Shape{pairs.weights()}, DType::f32);
  return Var(run(c, queries, keys, values, pairs, score, weights));
}

std::vector<Tensor> additive_attention_weights(Context& c, const Tensor& queries, const Layout& query_layout,
                                               const Tensor& keys, const Layout& key_layout,
                                               const Parameter& score) {
  check(queries, keys, keys, score);
  check_layouts(queries, query_layout, keys, key_layout, score);
  const AttentionPairs pairs(query_layout, key_layout);
  const Tensor weights = c.allocate(Shape{pairs.weights()}, DType::f32);
  dispatch(queries.dtype(), [&](auto zero) {
    using T = decltype(zero);
    kernels::additive_attention(c.pool, arguments<T>(queries, keys, keys, pairs, score, weights, Tensor()));
  });
  return pairs.cut_into_sentences(weights);
}

}  // namespace heed
