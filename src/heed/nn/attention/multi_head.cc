#include "heed/nn/attention/multi_head.h"

#include <cmath>

#include "heed/ops/convolution.h"
#include "heed/ops/rotary.h"

namespace heed {
namespace {

AttentionOptions attention_options(ParameterStore& store, const std::string& name,
                                   const MultiHeadOptions& options) {
  require(options.heads >= 1 && options.width % options.heads == 0,
          "{}: width {} does not divide into {} heads", name, options.width, options.heads);
  return {.heads = options.heads,
          .causal = options.causal,
          .scaled = options.scaled,
          .dropout = store.dropout_site(name + ".weights_dropout", options.dropout)};
}

}  // namespace

SelfAttention::SelfAttention(ParameterStore& store, const std::string& name, const MultiHeadOptions& options)
    : options_(attention_options(store, name, options)),
      rotary_(options.rotary),
      projections_(store, name + ".queries_keys_values", options.width, 3 * options.width),
      output_(store, name + ".output", options.width, options.width) {
  if (options.convolution == 0) return;
  require(!options.causal && options.convolution % 2 == 1,
          "{}: a convolution of {} taps; they must be odd, and the attention not causal", name,
          options.convolution);
  convolution_ = &store.add(name + ".convolution", {options.convolution, 3 * options.width},
                            Initial::uniform(1.0 / std::sqrt(static_cast<double>(options.convolution))));
}

Var SelfAttention::project(Context& c, const Var& x, const Layout& layout) const {
  Var projected = projections_(c, x);
  if (convolution_ != nullptr) {
    const int64_t taps = convolution_->shape().rows();
    projected = depthwise_convolution(c, projected, layout, *convolution_, taps / 2);
  }
  return rotary_ ? rotary(c, projected, layout, *rotary_, 2 * x.width()) : projected;
}

Var SelfAttention::operator()(Context& c, const Var& x, const Layout& layout) const {
  const Var projected = project(c, x, layout);                       // [R, 3D]
  const Var heads = self_attention(c, projected, layout, options_);  // [R, D]
  return output_(c, heads);
}

Var SelfAttention::step(Context& c, const Var& x, const Layout& layout, KeyValueCache& cache,
                        const StepHistory& history) const {
  const int64_t d = x.width();
  const Tensor projected = project(c, x, layout).value;  // [N, 3D]
  cache.append(projected.columns(d, 3 * d));
  return output_(c,
                 attention_step(c, projected.columns(0, d), cache.keys(), cache.values(),
                                {.offsets = history.offsets, .rows = history.rows, .first = {}}, options_));
}

std::vector<Tensor> SelfAttention::weights(Context& c, const Var& x, const Layout& layout) const {
  const int64_t d = x.width();
  const Tensor projected = project(c, x, layout).value;
  return attention_weights(c, projected.columns(0, d), layout, projected.columns(d, 2 * d), layout, options_);
}

CrossAttention::CrossAttention(ParameterStore& store, const std::string& name,
                               const MultiHeadOptions& options)
    : options_(attention_options(store, name, options)),
      queries_(store, name + ".queries", options.width, options.width),
      memory_projections_(store, name + ".keys_values", options.width, 2 * options.width),
      output_(store, name + ".output", options.width, options.width) {}

Var CrossAttention::operator()(Context& c, const Var& x, const Layout& layout, const Var& memory,
                               const Layout& memory_layout, GuidedLoss* guided) const {
  const Var queries = queries_(c, x);               // [R_t, D]
  const Var projected = project_memory(c, memory);  // [R_s, 2D]
  const GuidedAttention heads = cross_attention(c, queries, layout, projected, memory_layout, options_,
                                                guided ? guided->guide() : Guide());
  if (guided) guided->add(heads.sums);
  return output_(c, heads.out);
}

Var CrossAttention::step(Context& c, const Var& x, const KeyValueCache& projected,
                         const StepMemory& memory) const {
  const Var queries = queries_(c, x);  // [N, D]
  return output_(c, attention_step(c, queries.value, projected.keys(), projected.values(),
                                   {.offsets = memory.offsets, .rows = {}, .first = memory.first}, options_));
}

std::vector<Tensor> CrossAttention::weights(Context& c, const Var& x, const Layout& layout, const Var& memory,
                                            const Layout& memory_layout) const {
  const Tensor keys = project_memory(c, memory).value.columns(0, x.width());
  return attention_weights(c, queries_(c, x).value, layout, keys, memory_layout, options_);
}

}  // namespace heed
