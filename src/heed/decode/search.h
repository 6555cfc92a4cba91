// Finding good outputs of a step decoder: greedy, beam search, sampling. Search knows no architecture.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "heed/base/config.h"
#include "heed/nn/step_decoder.h"

namespace heed {

struct SearchOptions {
  int64_t beam = 5;
  double length_penalty = 1.0;
  int64_t min_length = 0;
  double max_length_factor = 2.0;
  int64_t max_length = 0;
  bool sample = false;
  double temperature = 1.0;
  int64_t top_k = 0;
  double top_p = 1.0;
  int64_t seed = 1;
  int64_t reserved = 3;  // the vocabulary's reserved words; of them only </s> and <unk> are written

  void visit(ConfigVisitor& v);
  // The most tokens, </s> not counted, that a source of this length may give.
  int64_t limit(int64_t source_length) const;
};

struct Hypothesis {
  std::vector<int32_t> ids;            // without </s>
  std::vector<float> token_log_probs;  // of ids, and of </s> when it ended
  double log_prob = 0.0;               // their sum
  double score = 0.0;  // log_prob / length^length_penalty, </s> counted (Wu et al. 2016, eq. 14, simplified)
  bool ended = false;  // with </s>; otherwise the length limit cut it
};

// One step of a beam search, for pictures: what was continued and what it was worth.
struct SearchStep {
  struct Row {
    int64_t parent;  // index among the rows of the step before, of the same sentence
    int32_t token;
    double log_prob;  // of the whole hypothesis
    double score;     // that by its length, as hypotheses are compared at the end
    bool ended;
    bool kept;  // ended and was counted, or may go on, where the search does
  };
  int64_t sentence;  // among those that were given: of search() in its batch, of a Translator the line
  std::vector<Row> rows;
};
using SearchObserver = std::function<void(const SearchStep&)>;

// Throws InputError on NaN, as damaged weights give it.
void require_number(double log_prob);

// For each source sentence up to `beam` hypotheses, best first (sampling: `beam` independent samples, in the
// order drawn). beam 1 is greedy search. A sentence is done when `beam` hypotheses have ended and none alive
// scores better than the best of them: where there are few words, </s> is soon among the best continuations
// of poor hypotheses, and these alone would end the search. (With a length penalty what repeats itself for
// sure scores better the longer it is: it goes on to its limit, and may be the best.) `sentence_keys`, needed
// for sampling, is a number of each sentence's text on which its samples depend. Throws what the decoder
// throws, InputError when it gives NaN, Error on keys that are not one a sentence.
std::vector<std::vector<Hypothesis>> search(Context& c, const StepDecoder& decoder, const TokenField& source,
                                            const SearchOptions& options,
                                            std::span<const uint64_t> sentence_keys = {},
                                            const SearchObserver& observer = {});

}  // namespace heed
