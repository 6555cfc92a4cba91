#include "heed/ops/attention.h"

#include <algorithm>
#include <cmath>

#include "heed/kernels/attention.h"

namespace heed {
namespace {

float scale_of(const AttentionOptions& options, int64_t head_width) {
  return options.scaled ? 1.0f / std::sqrt(static_cast<float>(head_width)) : 1.0f;
}

// What queries, keys and values are cut from, and how.
struct Inputs {
  Tensor q, k, v;
  Layout query_layout, key_layout;
  Guide guide = {};
};

// What the forward pass leaves.
struct Results {
  Tensor out;
  Tensor log_sum;  // [R_q, H], where a gradient will be asked for
  Tensor guided;   // [R_q, H], with a guide
};

template <class T>
kernels::AttentionArgs<T> arguments(const Inputs& in, const AttentionOptions& options,
                                    const kernels::Dropout& dropped, const Results& results) {
  const int64_t head_width = in.q.width() / options.heads;
  return {.sentences = in.query_layout.sentences(),
          .query_offsets = in.query_layout.offsets().data(),
          .key_offsets = in.key_layout.offsets().data(),
          .heads = options.heads,
          .head_width = head_width,
          .scale = scale_of(options, head_width),
          .causal = options.causal,
          .dropout = dropped,
          .query_row_keys = in.query_layout.row_keys().data(),
          .q = in.q.data<T>(),
          .k = in.k.data<T>(),
          .v = in.v.data<T>(),
          .q_stride = in.q.row_stride(),
          .k_stride = in.k.row_stride(),
          .v_stride = in.v.row_stride(),
          .out = results.out.data<T>(),
          .out_stride = results.out.row_stride(),
          .log_sum = results.log_sum.data_or_null<float>(),
          .guide = in.guide.for_kernel(),
          .guided = results.guided.data_or_null<float>()};
}

void check(const Inputs& in, const AttentionOptions& options) {
  require(options.heads >= 1 && in.q.width() % options.heads == 0,
          "attention: width {} does not divide into {} heads", in.q.width(), options.heads);
  require(in.q.rows() == in.query_layout.rows() && in.k.rows() == in.key_layout.rows(),
          "attention: {} and {} rows with layouts of {} and {}", in.q.rows(), in.k.rows(),
          in.query_layout.rows(), in.key_layout.rows());
  require(in.query_layout.sentences() == in.key_layout.sentences(), "attention: {} sentences query {}",
          in.query_layout.sentences(), in.key_layout.sentences());
  require(in.k.width() == in.q.width() && in.v.width() == in.q.width() && in.v.rows() == in.k.rows(),
          "attention: keys {} and values {} for queries of width {}", in.k.shape().to_string(),
          in.v.shape().to_string(), in.q.width());
  for (int64_t i = 0; options.causal && i < in.query_layout.sentences(); ++i)
    require(in.query_layout.length(i) == in.key_layout.length(i), "causal attention: {} queries of {} keys",
            in.query_layout.length(i), in.key_layout.length(i));
}

// Scores and weighted sums of every query with every key of its sentence, `products` of them.
ProfileScope profiled(Context& c, const char* op, const Inputs& in, double products) {
  double pairs = 0.0;
  for (int64_t i = 0; i < in.query_layout.sentences(); ++i) {
    pairs += static_cast<double>(in.query_layout.length(i)) * static_cast<double>(in.key_layout.length(i));
  }
  const auto width = static_cast<double>(in.q.width());
  const auto rows = static_cast<double>(2 * in.q.rows() + 2 * in.k.rows());
  return {c.profile, op, 2.0 * products * pairs * width,
          static_cast<double>(size_of(in.q.dtype())) * rows * width};
}

Results forward(Context& c, const Inputs& in, const AttentionOptions& options,
                const kernels::Dropout& dropped, bool recording) {
  check(in, options);
  const ProfileScope scope = profiled(c, "attention", in, 2.0);
  Results results;
  results.out = c.allocate(Shape{in.q.rows(), in.q.width()}, in.q.dtype());
  if (recording) results.log_sum = c.allocate(Shape{in.q.rows(), options.heads}, DType::f32);
  if (in.guide) results.guided = c.allocate(Shape{in.q.rows(), options.heads}, DType::f32);
  dispatch(in.q.dtype(), [&](auto zero) {
    using T = decltype(zero);
    kernels::attention(c.pool, arguments<T>(in, options, dropped, results));
  });
  return results;
}

// The gradients that reached the results; d_guided may be empty.
struct ResultGradients {
  Tensor d_out, d_guided;
};

// d_in: where the gradients of q, k and v go, views shaped as they are.
void backward(Context& c, const Inputs& in, const AttentionOptions& options, const kernels::Dropout& dropped,
              const Results& results, const ResultGradients& d, const Inputs& d_in) {
  const ProfileScope scope = profiled(c, "attention gradient", in, 5.0);
  dispatch(in.q.dtype(), [&](auto zero) {
    using T = decltype(zero);
    kernels::attention_gradient(
        c.pool, kernels::AttentionGradientArgs<T>{.forward = arguments<T>(in, options, dropped, results),
                                                  .d_out = d.d_out.template data<T>(),
                                                  .d_out_stride = d.d_out.row_stride(),
                                                  .d_guided = d.d_guided.data_or_null<float>(),
                                                  .dq = d_in.q.data<T>(),
                                                  .dk = d_in.k.data<T>(),
                                                  .dv = d_in.v.data<T>(),
                                                  .dq_stride = d_in.q.row_stride(),
                                                  .dk_stride = d_in.k.row_stride(),
                                                  .dv_stride = d_in.v.row_stride()});
  });
}

Inputs cut_self(const Tensor& projected, const Layout& layout) {
  const int64_t d = projected.width() / 3;
  return {projected.columns(0, d), projected.columns(d, 2 * d), projected.columns(2 * d, 3 * d), layout,
          layout};
}

// Queries of one place, keys and values of another.
struct Cross {
  Var queries, keys, values;  // without `values`, keys and values stand side by side in `keys`
  Layout query_layout, key_layout;

  Inputs cut(const Tensor& q, const Tensor& k, const Tensor& v) const {
    const int64_t d = q.width();
    if (v) return {q, k, v, query_layout, key_layout};
    return {q, k.columns(0, d), k.columns(d, 2 * d), query_layout, key_layout};
  }
  bool asks_for_gradient() const { return queries.gradient || keys.gradient || values.gradient; }
};

GuidedAttention cross(const Cross& x, Context& c, const AttentionOptions& options, const Guide& guide) {
  require(!guide || static_cast<int64_t>(guide.places->size()) == x.queries.rows(),
          "attention: a guide of {} rows for {} queries", guide.places ? guide.places->size() : 0,
          x.queries.rows());
  const bool recording = c.recording() && x.asks_for_gradient();
  const kernels::Dropout dropped = options.dropout.in(c);
  Inputs in = x.cut(x.queries.value, x.keys.value, x.values.value);
  in.guide = guide;
  const Results results = forward(c, in, options, dropped, recording);
  GuidedAttention attended{Var(results.out), Var(results.guided)};
  if (!recording) return attended;
  auto d_guided = std::make_shared<Gradient>();
  if (guide) attended.sums.gradient = d_guided;
  c.tape->record(attended.out, [x, in, options, dropped, results, d_guided](Context& c, const Tensor& d_out) {
    const Tensor d_queries = c.allocate(x.queries.shape(), d_out.dtype());
    const Tensor d_keys = c.allocate(x.keys.shape(), d_out.dtype());
    const Tensor d_values = x.values ? c.allocate(x.values.shape(), d_out.dtype()) : Tensor();
    backward(c, in, options, dropped, results, {d_out, d_guided->take(c)},
             x.cut(d_queries, d_keys, d_values));
    if (x.queries.gradient) x.queries.gradient->add(c, d_queries);
    if (x.keys.gradient) x.keys.gradient->add(c, d_keys);
    if (x.values.gradient) x.values.gradient->add(c, d_values);
  });
  return attended;
}

}  // namespace

Var self_attention(Context& c, const Var& projected, const Layout& layout, const AttentionOptions& options) {
  require(projected.width() % 3 == 0, "self-attention: width {} is not queries, keys and values",
          projected.width());
  const bool recording = c.recording() && projected.gradient;
  const kernels::Dropout dropped = options.dropout.in(c);
  const Results results = forward(c, cut_self(projected.value, layout), options, dropped, recording);
  Var out(results.out);
  if (recording) {
    c.tape->record(out, [projected, layout, options, dropped, results](Context& c, const Tensor& d_out) {
      const Tensor d_projected = c.allocate(projected.shape(), d_out.dtype());
      backward(c, cut_self(projected.value, layout), options, dropped, results, {d_out, Tensor()},
               cut_self(d_projected, layout));
      projected.gradient->add(c, d_projected);
    });
  }
  return out;
}

GuidedAttention cross_attention(Context& c, const Var& queries, const Layout& query_layout, const Var& memory,
                                const Layout& memory_layout, const AttentionOptions& options,
                                const Guide& guide) {
  require(memory.width() == 2 * queries.width(),
          "cross-attention: keys and values of width {} for queries of width {}", memory.width(),
          queries.width());
  return cross({queries, memory, Var(), query_layout, memory_layout}, c, options, guide);
}

GuidedAttention cross_attention(Context& c, const Var& queries, const Layout& query_layout, const Var& keys,
                                const Var& values, const Layout& key_layout, const AttentionOptions& options,
                                const Guide& guide) {
  require(keys.shape() == values.shape() && keys.width() == queries.width(),
          "cross-attention: keys {} and values {} for queries of width {}", keys.shape().to_string(),
          values.shape().to_string(), queries.width());
  return cross({queries, keys, values, query_layout, key_layout}, c, options, guide);
}

Var attention_step(Context& c, const Tensor& queries, const Tensor& keys, const Tensor& values,
                   const AttentionSpans& spans, const AttentionOptions& options) {
  require(static_cast<int64_t>(spans.offsets.size()) == queries.rows() + 1,
          "attention: {} offsets for {} queries", spans.offsets.size(), queries.rows());
  require(keys.rows() == values.rows() &&
              (spans.rows.empty() ? static_cast<int64_t>(spans.first.size()) == queries.rows()
                                  : static_cast<int32_t>(spans.rows.size()) == spans.offsets.back()),
          "attention by steps: {} keys, {} values, {} rows and {} first rows for {} queries", keys.rows(),
          values.rows(), spans.rows.size(), spans.first.size(), queries.rows());
  require(options.heads >= 1 && queries.width() % options.heads == 0 && keys.width() == queries.width() &&
              values.width() == queries.width(),
          "attention by steps: queries, keys and values of widths {}, {} and {} in {} heads", queries.width(),
          keys.width(), values.width(), options.heads);
  const int64_t head_width = queries.width() / options.heads;
  Var out(c.allocate(Shape{queries.rows(), queries.width()}, queries.dtype()));
  dispatch(queries.dtype(), [&](auto zero) {
    using T = decltype(zero);
    kernels::attention_step(
        c.pool, kernels::AttentionStepArgs<T>{.queries = queries.rows(),
                                              .row_offsets = spans.offsets.data(),
                                              .rows = spans.rows.empty() ? nullptr : spans.rows.data(),
                                              .first = spans.first.empty() ? nullptr : spans.first.data(),
                                              .heads = options.heads,
                                              .head_width = head_width,
                                              .scale = scale_of(options, head_width),
                                              .q = queries.data<T>(),
                                              .k = keys.data<T>(),
                                              .v = values.data<T>(),
                                              .q_stride = queries.row_stride(),
                                              .k_stride = keys.row_stride(),
                                              .v_stride = values.row_stride(),
                                              .out = out.value.data<T>(),
                                              .out_stride = out.value.row_stride()});
  });
  return out;
}

std::vector<Tensor> attention_weights(Context& c, const Tensor& queries, const Layout& query_layout,
                                      const Tensor& keys, const Layout& key_layout,
                                      const AttentionOptions& options) {
  check({queries, keys, keys, query_layout, key_layout}, options);
  const int64_t head_width = queries.width() / options.heads;
  std::vector<Tensor> weights;
  std::vector<float*> pointers;
  for (int64_t sentence = 0; sentence < query_layout.sentences(); ++sentence) {
    weights.push_back(
        Tensor::zeros({options.heads, query_layout.length(sentence), key_layout.length(sentence)}));
    pointers.push_back(weights.back().data<float>());
  }
  dispatch(queries.dtype(), [&](auto zero) {
    using T = decltype(zero);
    kernels::attention_weights(
        c.pool, kernels::AttentionWeightsArgs<T>{.sentences = query_layout.sentences(),
                                                 .query_offsets = query_layout.offsets().data(),
                                                 .key_offsets = key_layout.offsets().data(),
                                                 .heads = options.heads,
                                                 .head_width = head_width,
                                                 .scale = scale_of(options, head_width),
                                                 .causal = options.causal,
                                                 .q = queries.data<T>(),
                                                 .k = keys.data<T>(),
                                                 .q_stride = queries.row_stride(),
                                                 .k_stride = keys.row_stride(),
                                                 .weights = pointers.data()});
  });
  return weights;
}

}  // namespace heed
