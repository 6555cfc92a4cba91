#include "heed/decode/scorer.h"

#include <numeric>

#include "heed/base/error.h"
#include "heed/data/batch.h"
#include "heed/decode/search.h"

namespace heed {

std::vector<ScoredTarget> score_targets(Context& c, const EncoderDecoder& model,
                                        const std::vector<std::vector<int32_t>>& sources,
                                        const std::vector<std::vector<int32_t>>& targets) {
  require(sources.size() == targets.size(), "scoring: {} sources for {} targets", sources.size(),
          targets.size());
  const auto longest = static_cast<size_t>(model.step_decoder()->longest());
  for (const auto* side : {&sources, &targets})
    for (const std::vector<int32_t>& ids : *side)
      if (ids.size() > longest)
        fail_input("scoring: {} tokens, but the model has only {} positions; shorten the text", ids.size(),
                   longest);
  const TokenField target = make_field(targets);
  const Tensor log_probs = model.loss(c, make_field(sources), target, LossOptions{}).log_prob;
  std::vector<ScoredTarget> scored(targets.size());
  for (size_t i = 0; i < scored.size(); ++i) {
    const auto sentence = static_cast<int64_t>(i);
    std::vector<float>& tokens = scored[i].token_log_probs;
    tokens.assign(log_probs.data<float>() + target.layout.begin(sentence),
                  log_probs.data<float>() + target.layout.end(sentence));
    scored[i].log_prob = std::accumulate(tokens.begin(), tokens.end(), 0.0);
    require_number(scored[i].log_prob);
  }
  c.arena.reset();
  return scored;
}

}  // namespace heed
