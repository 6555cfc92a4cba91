#include "heed/nn/attention/source_attention.h"

#include "heed/ops/rows.h"

namespace heed {

SourceAttention::SourceAttention(ParameterStore& store, const std::string& name,
                                 const SourceAttentionOptions& options)
    : options_{.heads = 1, .scaled = options.score == Score::scaled_dot, .dropout = {}},
      window_(options.window) {
  const int64_t query_width = options.query_width, memory_width = options.memory_width;
  switch (options.score) {
    case Score::dot:
    case Score::scaled_dot:
      require(query_width == memory_width, "{}: a dot product of widths {} and {}", name, query_width,
              memory_width);
      break;
    case Score::bilinear:
      queries_.emplace(store, name + ".queries", query_width, memory_width, 1, false);
      break;
    case Score::additive:
      queries_.emplace(store, name + ".queries", query_width, options.score_width, 1, false);
      keys_.emplace(store, name + ".keys", memory_width, options.score_width);
      score_ = &store.add(name + ".score", {1, options.score_width}, Initial::xavier(options.score_width, 1));
      break;
  }
  local_ = {.reach = options.reach, .score = score_, .scaled = options_.scaled};
  if (options.window == Window::local_p) {
    place_hidden_.emplace(store, name + ".place_hidden", query_width, query_width, 1, false);
    place_.emplace(store, name + ".place", query_width, 1, 1, false);
  }
}

SourceAttention::Memory SourceAttention::read(Context& c, const Var& memory, const Layout& layout) const {
  return {keys_ ? (*keys_)(c, memory) : memory, memory, layout};
}

Var SourceAttention::project(Context& c, const Var& queries) const {
  return queries_ ? (*queries_)(c, queries) : queries;
}

Var SourceAttention::places(Context& c, const Var& queries) const {
  return place_ ? (*place_)(c, (*place_hidden_)(c, queries, kernels::Activation::tanh)) : Var();
}

Var SourceAttention::operator()(Context& c, const Var& queries, const Layout& layout,
                                std::span<const int32_t> positions, const Memory& memory) const {
  const Var q = project(c, queries);
  if (is_local()) {
    return local_attention(c, q, layout, positions, places(c, queries), memory.keys, memory.values,
                           memory.layout, local_);
  }
  if (is_additive())
    return additive_attention(c, q, layout, memory.keys, memory.values, memory.layout, *score_);
  return cross_attention(c, q, layout, memory.keys, memory.values, memory.layout, options_);
}

std::vector<Tensor> SourceAttention::weights(Context& c, const Var& queries, const Layout& layout,
                                             std::span<const int32_t> positions, const Memory& memory) const {
  const Tensor q = project(c, queries).value;
  if (is_local()) {
    return local_attention_weights(c, q, layout, positions, places(c, queries).value, memory.keys.value,
                                   memory.layout, local_);
  }
  if (is_additive())
    return additive_attention_weights(c, q, layout, memory.keys.value, memory.layout, *score_);
  return attention_weights(c, q, layout, memory.keys.value, memory.layout, options_);
}

Tensor SourceAttention::cached(Context& c, const Memory& memory) const {
  return is_additive() ? concat_columns(c, {memory.keys, memory.values}).value : memory.values.value;
}

Var SourceAttention::step(Context& c, const Var& queries, std::span<const int32_t> positions,
                          const KeyValueCache& cache, const StepMemory& memory) const {
  const AttentionSpans spans{.offsets = memory.offsets, .rows = {}, .first = memory.first};
  const Tensor q = project(c, queries).value, stored = cache.stored();
  const Tensor keys = is_additive() ? stored.columns(0, q.width()) : stored;
  const Tensor values = is_additive() ? stored.columns(q.width(), stored.width()) : stored;
  if (is_local()) {
    return local_attention_step(c, q, positions, places(c, queries).value, keys, values, spans, local_);
  }
  if (is_additive()) return additive_attention_step(c, q, keys, values, spans, *score_);
  return attention_step(c, q, keys, values, spans, options_);
}

}  // namespace heed
