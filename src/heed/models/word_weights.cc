#include "heed/models/word_weights.h"

#include <cmath>
#include <utility>

#include "heed/ops/output.h"

namespace heed {

WordWeights::WordWeights(ParameterStore& store, const WordWeightsOptions& options) {
  const int64_t width = options.width;
  const Initial initial = Initial::normal(1.0 / std::sqrt(static_cast<double>(width)));
  target_embedding = &store.add("target.embedding", {options.target_words, width}, initial);
  source_embedding = options.tying == Tying::all
                         ? target_embedding
                         : &store.add("source.embedding", {options.source_words, width}, initial);
  output_weight = options.tying == Tying::none
                      ? &store.add("output.weight", {options.target_words, width}, initial)
                      : target_embedding;
  if (options.output_bias)
    output_bias = &store.add("output.bias", {options.target_words}, Initial::constant(0.0));
}

Candidates WordWeights::candidates(Context& c, const Tensor& states, int64_t k,
                                   std::span<const float> bias) const {
  TopWords top = output_top_k(c, states, *output_weight, output_bias, k, bias);
  return {k, std::move(top.ids), std::move(top.log_probs)};
}

std::vector<float> WordWeights::log_probs(Context& c, const Tensor& states) const {
  const Tensor all = output_log_probs(c, states, *output_weight, output_bias);
  return {all.data<float>(), all.data<float>() + all.size()};
}

}  // namespace heed
