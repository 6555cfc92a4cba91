#include "heed/nn/attention/source_attention.h"

#include <cmath>

#include "heed/ops/rows.h"

namespace heed {

SourceAttention::SourceAttention(ParameterStore& store, const std::string& name,
                                 const SourceAttentionOptions& options)
    : options_{.heads = 1, .scaled = options.score == Score::scaled_dot, .dropout = {}},
      window_(options.window) {
  const int64_t query_width = options.query_width, memory_width = options.memory_width;
  const LinearOptions no_bias{.bias = false};
  switch (options.score) {
    case Score::dot:
    case Score::scaled_dot:
      require(query_width == memory_width, "{}: a dot product of widths {} and {}", name, query_width,
              memory_width);
      break;
    case Score::bilinear:
      queries_.emplace(store, name + ".queries", query_width, memory_width, no_bias);
      break;
    case Score::additive:
      queries_.emplace(store, name + ".queries", query_width, options.score_width, no_bias);
      keys_.emplace(store, name + ".keys", memory_width, options.score_width);
      score_ = &store.add(name + ".score", {1, options.score_width}, Initial::xavier(options.score_width, 1));
      break;
  }
  if (options.project_values) values_.emplace(store, name + ".values", memory_width, memory_width, no_bias);
  if (options.monotonic) {
    require(!is_local(), "{}: a window of keys cannot be monotonic", name);
    // At first a key is passed by more often than chosen, so that later ones are reached at all (Raffel et
    // al. 2017, section 2.4).
    monotonic_ = {.offset = &store.add(name + ".offset", {1}, Initial::constant(-1.0)),
                  .score = score_,
                  .scale = options_.scaled ? 1.0f / std::sqrt(static_cast<float>(memory_width)) : 1.0f,
                  .noise = static_cast<float>(options.monotonic_noise),
                  .site = store.dropout_site(name + ".noise", 0.0).site};
  }
  local_ = {.reach = options.reach, .score = score_, .scaled = options_.scaled};
  if (options.window == Window::local_p) {
    place_hidden_.emplace(store, name + ".place_hidden", query_width, query_width, no_bias);
    place_.emplace(store, name + ".place", query_width, 1, no_bias);
  }
}

SourceAttention::Memory SourceAttention::read(Context& c, const Var& memory, const Layout& layout) const {
  return {keys_ ? (*keys_)(c, memory) : memory, values_ ? (*values_)(c, memory) : memory, layout};
}

Var SourceAttention::project(Context& c, const Var& queries) const {
  return queries_ ? (*queries_)(c, queries) : queries;
}

Var SourceAttention::places(Context& c, const Var& queries) const {
  return place_ ? (*place_)(c, (*place_hidden_)(c, queries, kernels::Activation::tanh)) : Var();
}

Var SourceAttention::operator()(Context& c, const Var& queries, const Layout& layout, const Memory& memory,
                                const Wanted& wanted) const {
  const Var q = project(c, queries);
  if (monotonic_) {
    Place start;
    Place& place = wanted.place != nullptr ? *wanted.place : start;
    if (!c.training && !c.recording()) return Var(choose(c, q.value, layout, memory, place).out);
    MonotonicExpectation expected = expected_monotonic_attention(c, q, layout, memory.keys, memory.values,
                                                                 memory.layout, place.alignment, *monotonic_);
    place.alignment = expected.alignment;
    return expected.out;
  }
  if (is_local()) {
    return local_attention(c, q, layout, places(c, queries), memory.keys, memory.values, memory.layout,
                           local_);
  }
  const Guide guide = wanted.guided ? wanted.guided->guide(wanted.in_batch) : Guide();
  const GuidedAttention attended =
      is_additive()
          ? additive_attention(c, q, layout, memory.keys, memory.values, memory.layout, *score_, guide)
          : cross_attention(c, q, layout, memory.keys, memory.values, memory.layout, options_, guide);
  if (wanted.guided) wanted.guided->add(attended.sums);
  return attended.out;
}

MonotonicChoice SourceAttention::choose(Context& c, const Tensor& queries, const Layout& layout,
                                        const Memory& memory, Place& place) const {
  place.attended.resize(static_cast<size_t>(layout.sentences()));
  return hard_monotonic_attention(c, queries, memory.keys.value, memory.values.value,
                                  AttentionPairs(layout, memory.layout), place.attended, *monotonic_);
}

std::vector<Tensor> SourceAttention::weights(Context& c, const Var& queries, const Layout& layout,
                                             const Memory& memory, Place& place) const {
  const Tensor q = project(c, queries).value;
  if (monotonic_) {
    const MonotonicChoice choice = choose(c, q, layout, memory, place);
    std::vector<Tensor> sentences;
    for (int64_t b = 0; b < layout.sentences(); ++b) {
      Tensor& sentence =
          sentences.emplace_back(Tensor::zeros({1, layout.length(b), memory.layout.length(b)}));
      for (int64_t t = 0; t < layout.length(b); ++t) {
        const int32_t key = choice.found[static_cast<size_t>(layout.begin(b) + t)];
        if (key >= 0) sentence.row<float>(t)[key] = 1.0f;
      }
    }
    return sentences;
  }
  if (is_local()) {
    return local_attention_weights(c, q, layout, places(c, queries).value, memory.keys.value, memory.layout,
                                   local_);
  }
  if (is_additive())
    return additive_attention_weights(c, q, layout, memory.keys.value, memory.layout, *score_);
  return attention_weights(c, q, layout, memory.keys.value, memory.layout, options_);
}

Tensor SourceAttention::cached(Context& c, const Memory& memory) const {
  return has_one_memory() ? memory.values.value : concat_columns(c, {memory.keys, memory.values}).value;
}

Var SourceAttention::step(Context& c, const Var& queries, std::span<const int32_t> positions,
                          const KeyValueCache& cache, const StepMemory& memory,
                          std::span<int32_t> attended) const {
  const AttentionSpans spans{.offsets = memory.offsets, .rows = {}, .first = memory.first};
  const Tensor q = project(c, queries).value, stored = cache.stored();
  const Tensor keys = has_one_memory() ? stored : stored.columns(0, q.width());
  const Tensor values = has_one_memory() ? stored : stored.columns(q.width(), stored.width());
  if (monotonic_) {
    const AttentionPairs pairs(spans);
    return Var(hard_monotonic_attention(c, q, keys, values, pairs, attended, *monotonic_).out);
  }
  if (is_local()) {
    return local_attention_step(c, q, positions, places(c, queries).value, keys, values, spans, local_);
  }
  if (is_additive()) return additive_attention_step(c, q, keys, values, spans, *score_);
  return attention_step(c, q, keys, values, spans, options_);
}

}  // namespace heed
