#include "heed/ops/monotonic_attention.h"

#include <memory>

#include "heed/kernels/monotonic_attention.h"

namespace heed {
namespace {

void check(const Tensor& queries, const Tensor& keys, const Tensor& values, const AttentionPairs& pairs,
           const MonotonicOptions& options) {
  require(queries.width() == keys.width() &&
              (options.score == nullptr || options.score->value().size() == keys.width()),
          "monotonic attention: queries and keys of widths {} and {}", queries.width(), keys.width());
  require(keys.rows() == values.rows(), "monotonic attention: {} keys for {} values", keys.rows(),
          values.rows());
  require(queries.rows() == pairs.queries(), "monotonic attention: {} queries with a layout of {}",
          queries.rows(), pairs.queries());
}

template <class T>
kernels::MonotonicAttentionArgs<T> arguments(const Tensor& queries, const Tensor& keys, const Tensor& values,
                                             const AttentionPairs& pairs, const MonotonicOptions& options) {
  return {.sentences = pairs.sentences(),
          .query_offsets = pairs.query_offsets.data(),
          .key_begin = pairs.key_begin.data(),
          .key_end = pairs.key_end.data(),
          .width = queries.width(),
          .value_width = values.width(),
          .score = data_or_null(options.score),
          .scale = options.scale,
          .offset = options.offset->value().data<float>(),
          .q = queries.data<T>(),
          .k = keys.data<T>(),
          .v = values.data<T>(),
          .q_stride = queries.row_stride(),
          .k_stride = keys.row_stride(),
          .v_stride = values.row_stride(),
          .weight_begin = pairs.weight_begin.data()};
}

// What the forward pass reads, and leaves for the gradient.
struct ExpectedPass {
  Var queries, keys, values, before;
  Layout query_layout;  // for its random numbers
  AttentionPairs pairs;
  MonotonicOptions options;
  Tensor chosen, weights;  // f32, one a pair

  template <class T>
  kernels::MonotonicAttentionArgs<T> args() const {
    auto args = arguments<T>(queries.value, keys.value, values.value, pairs, options);
    args.query_row_keys = query_layout.row_keys().data();
    args.before = before ? before.value.data<float>() : nullptr;
    args.chosen = chosen.data<float>();
    args.weights = weights.data<float>();
    return args;
  }
  ProfileScope profiled(Context& c, const char* op, double passes) const {
    const int64_t of_pair = (options.score != nullptr ? 12 : 2) * queries.width() + 2 * values.width();
    return {c.profile, op, passes * static_cast<double>(pairs.weights() * of_pair), 0.0};
  }
};

void add_gradients(Context& c, const ExpectedPass& pass, const Tensor& d_out, const Tensor& d_after) {
  const DType dtype = pass.queries.value.dtype();
  const int64_t sentences = pass.pairs.sentences(), width = pass.queries.width();
  const MonotonicOptions& options = pass.options;
  const Tensor dq = c.allocate(pass.queries.shape(), dtype), dk = c.allocate(pass.keys.shape(), dtype),
               dv = c.allocate(pass.values.shape(), dtype);
  const Tensor d_before = pass.before ? c.allocate(pass.before.shape(), DType::f32) : Tensor();
  const Tensor d_score =
      options.score != nullptr ? c.allocate(Shape{sentences, width}, DType::f32) : Tensor();
  const Tensor d_offset = c.allocate(Shape{sentences, 1}, DType::f32);
  dispatch(dtype, [&](auto zero) {
    using T = decltype(zero);
    kernels::monotonic_attention_gradient(
        c.pool, kernels::MonotonicAttentionGradientArgs<T>{.forward = pass.args<T>(),
                                                           .d_out = d_out.data_or_null<T>(),
                                                           .d_after = d_after.data_or_null<float>(),
                                                           .dq = dq.data<T>(),
                                                           .dk = dk.data<T>(),
                                                           .dv = dv.data<T>(),
                                                           .d_before = d_before.data_or_null<float>(),
                                                           .d_score = d_score.data_or_null<float>(),
                                                           .d_offset = d_offset.data<float>()});
  });
  if (pass.queries.gradient) pass.queries.gradient->add(c, dq);
  if (pass.keys.gradient) pass.keys.gradient->add(c, dk);
  if (pass.values.gradient) pass.values.gradient->add(c, dv);
  if (pass.before.gradient) pass.before.gradient->add(c, d_before);
  if (d_score) add_row_sums(*options.score, c, d_score);
  add_row_sums(*options.offset, c, d_offset);
}

}  // namespace

MonotonicExpectation expected_monotonic_attention(Context& c, const Var& queries, const Layout& query_layout,
                                                  const Var& keys, const Var& values,
                                                  const Layout& key_layout, const Var& before,
                                                  const MonotonicOptions& options) {
  auto pass = std::make_shared<ExpectedPass>(ExpectedPass{queries,
                                                          keys,
                                                          values,
                                                          before,
                                                          query_layout,
                                                          AttentionPairs(query_layout, key_layout),
                                                          options,
                                                          {},
                                                          {}});
  check(queries.value, keys.value, values.value, pass->pairs, options);
  const Shape alignment{key_layout.rows(), 1};
  require(keys.rows() == key_layout.rows() && (!before || before.shape() == alignment),
          "monotonic attention: {} keys and an alignment {} with a layout of {}", keys.rows(),
          before.shape().to_string(), key_layout.rows());
  const ProfileScope scope = pass->profiled(c, "monotonic attention", 1.0);
  pass->chosen = c.allocate(Shape{pass->pairs.weights()}, DType::f32);
  pass->weights = c.allocate(Shape{pass->pairs.weights()}, DType::f32);
  MonotonicExpectation expected{Var(c.allocate(Shape{queries.rows(), values.width()}, queries.value.dtype())),
                                Var(c.allocate(alignment, DType::f32))};
  dispatch(queries.value.dtype(), [&](auto zero) {
    using T = decltype(zero);
    auto args = pass->args<T>();
    args.out = expected.out.value.data<T>();
    args.after = expected.alignment.value.data<float>();
    args.noise = c.training ? options.noise : 0.0f;
    args.noise_key = c.key(options.site);
    kernels::expected_monotonic_attention(c.pool, args);
  });
  if (!c.recording()) return expected;
  auto outputs = std::make_shared<MonotonicExpectation>();  // what backward asks for its gradients
  c.tape->record({&expected.out, &expected.alignment}, [pass, outputs](Context& c) {
    const Tensor d_out = outputs->out.gradient->take(c), d_after = outputs->alignment.gradient->take(c);
    if (!d_out && !d_after) return;
    const ProfileScope scope = pass->profiled(c, "monotonic attention gradient", 2.0);
    add_gradients(c, *pass, d_out, d_after);
  });
  *outputs = expected;
  return expected;
}

MonotonicChoice hard_monotonic_attention(Context& c, const Tensor& queries, const Tensor& keys,
                                         const Tensor& values, const AttentionPairs& pairs,
                                         std::span<int32_t> attended, const MonotonicOptions& options) {
  check(queries, keys, values, pairs, options);
  require(static_cast<int64_t>(attended.size()) == pairs.sentences(),
          "monotonic attention: {} places for {} sentences", attended.size(), pairs.sentences());
  MonotonicChoice choice{c.allocate(Shape{queries.rows(), values.width()}, queries.dtype()),
                         std::vector<int32_t>(static_cast<size_t>(queries.rows()))};
  dispatch(queries.dtype(), [&](auto zero) {
    using T = decltype(zero);
    auto args = arguments<T>(queries, keys, values, pairs, options);
    args.out = choice.out.data<T>();
    args.attended = attended.data();
    args.found = choice.found.data();
    kernels::hard_monotonic_attention(c.pool, args);
  });
  return choice;
}

}  // namespace heed
