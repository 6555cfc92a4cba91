#include "heed/nn/attention/source_attention.h"

#include "heed/ops/rows.h"

namespace heed {

SourceAttention::SourceAttention(ParameterStore& store, const std::string& name, Score score,
                                 int64_t query_width, int64_t memory_width, int64_t score_width)
    : options_{.heads = 1, .scaled = score == Score::scaled_dot, .dropout = {}} {
  switch (score) {
    case Score::dot:
    case Score::scaled_dot:
      require(query_width == memory_width, "{}: a dot product of widths {} and {}", name, query_width,
              memory_width);
      break;
    case Score::bilinear:
      queries_.emplace(store, name + ".queries", query_width, memory_width, 1, false);
      break;
    case Score::additive:
      queries_.emplace(store, name + ".queries", query_width, score_width, 1, false);
      keys_.emplace(store, name + ".keys", memory_width, score_width);
      score_ = &store.add(name + ".score", {1, score_width}, Initial::xavier(score_width, 1));
      break;
  }
}

SourceAttention::Memory SourceAttention::read(Context& c, const Var& memory, const Layout& layout) const {
  return {keys_ ? (*keys_)(c, memory) : memory, memory, layout};
}

Var SourceAttention::project(Context& c, const Var& queries) const {
  return queries_ ? (*queries_)(c, queries) : queries;
}

Var SourceAttention::operator()(Context& c, const Var& queries, const Layout& layout,
                                const Memory& memory) const {
  const Var q = project(c, queries);
  if (is_additive())
    return additive_attention(c, q, layout, memory.keys, memory.values, memory.layout, *score_);
  return cross_attention(c, q, layout, memory.keys, memory.values, memory.layout, options_);
}

std::vector<Tensor> SourceAttention::weights(Context& c, const Var& queries, const Layout& layout,
                                             const Memory& memory) const {
  const Tensor q = project(c, queries).value;
  if (is_additive())
    return additive_attention_weights(c, q, layout, memory.keys.value, memory.layout, *score_);
  return attention_weights(c, q, layout, memory.keys.value, memory.layout, options_);
}

Tensor SourceAttention::cached(Context& c, const Memory& memory) const {
  return is_additive() ? concat_columns(c, {memory.keys, memory.values}).value : memory.values.value;
}

Var SourceAttention::step(Context& c, const Var& queries, const KeyValueCache& cache,
                          const StepMemory& memory) const {
  const AttentionSpans spans{.offsets = memory.offsets, .rows = {}, .first = memory.first};
  const Tensor q = project(c, queries).value, stored = cache.stored();
  if (!is_additive()) return attention_step(c, q, stored, stored, spans, options_);
  return additive_attention_step(c, q, stored.columns(0, q.width()),
                                 stored.columns(q.width(), stored.width()), spans, *score_);
}

}  // namespace heed
