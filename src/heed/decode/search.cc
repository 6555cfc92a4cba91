#include "heed/decode/search.h"

#include <algorithm>
#include <cmath>

#include "heed/base/random.h"
#include "heed/decode/sampling.h"

namespace heed {

void require_number(double log_prob) {
  if (std::isnan(log_prob)) fail_input("the model gives NaN as a probability; its weights are damaged");
}

void SearchOptions::visit(ConfigVisitor& v) {
  v("beam", beam, "hypotheses kept at each step; 1 is greedy search", between(1, 1000));
  v("length_penalty", length_penalty, "scores are divided by length to this power; 0 prefers short outputs",
    between(0, 10));
  v("min_length", min_length, "fewest tokens of an output", between(0, 1e6));
  v("max_length_factor", max_length_factor, "an output is at most so many times its source, plus 10 tokens",
    between(0, 1000));
  v("max_length", max_length, "most tokens of an output; 0: only the factor limits it", between(0, 1e6));
  v("sample", sample, "draw outputs at random instead of searching for the best");
  v("temperature", temperature, "sampling: below 1 sharpens the distribution, above 1 flattens it",
    between(0.01, 100));
  v("top_k", top_k, "sampling: only from the k best tokens; 0: all", between(0, 1e6));
  v("top_p", top_p, "sampling: only from the best tokens that together have this probability",
    between(0.001, 1));
  v("seed", seed, "sampling: another seed, other samples");
}

int64_t SearchOptions::limit(int64_t source_length) const {
  const auto by_source = static_cast<int64_t>(max_length_factor * static_cast<double>(source_length)) + 10;
  return std::max(min_length, max_length > 0 ? std::min(max_length, by_source) : by_source);
}

namespace {

double normalised(double log_prob, size_t length, double penalty) {
  return log_prob / std::pow(static_cast<double>(std::max<size_t>(length, 1)), penalty);
}

// The most tokens, </s> not counted, that each source may give; the decoder reads <s> before them.
std::vector<int64_t> limits(const SearchOptions& options, const StepDecoder& decoder, const Layout& source) {
  std::vector<int64_t> limits;
  for (int64_t i = 0; i < source.sentences(); ++i)
    limits.push_back(std::min(options.limit(source.length(i)), decoder.longest() - 1));
  return limits;
}

bool may_be_written(const SearchOptions& options, int32_t token) {
  return token >= options.reserved || token == kEndToken || token == kUnknownToken;
}

// A sentence on its way: its live hypotheses are rows of the decoder's state, in this order.
struct Sentence {
  int64_t number = 0;
  int64_t limit = 0;
  std::vector<Hypothesis> live;
  std::vector<Hypothesis> ended;
};

struct Continuation {
  size_t parent;  // index into live
  int32_t token;
  float token_log_prob;
  double log_prob;
};

// The best continuations of a sentence's rows, best first; ties go to the earlier row, then the better rank.
std::vector<Continuation> best_continuations(const Sentence& sentence, const Candidates& candidates,
                                             size_t first_row, const SearchOptions& options) {
  std::vector<Continuation> all;
  for (size_t i = 0; i < sentence.live.size(); ++i) {
    for (int64_t j = 0; j < candidates.k; ++j) {
      const size_t at = (first_row + i) * static_cast<size_t>(candidates.k) + static_cast<size_t>(j);
      require_number(candidates.log_probs[at]);
      if (!may_be_written(options, candidates.ids[at])) continue;
      all.push_back({i, candidates.ids[at], candidates.log_probs[at],
                     sentence.live[i].log_prob + static_cast<double>(candidates.log_probs[at])});
    }
  }
  std::stable_sort(all.begin(), all.end(),
                   [](const Continuation& a, const Continuation& b) { return a.log_prob > b.log_prob; });
  // Among the best 2 x beam at least `beam` do not end: each row ends in one way only.
  all.resize(std::min(all.size(), 2 * static_cast<size_t>(options.beam)));
  return all;
}

Hypothesis continued(const Hypothesis& parent, const Continuation& next, double penalty) {
  Hypothesis hypothesis = parent;
  hypothesis.token_log_probs.push_back(next.token_log_prob);
  hypothesis.log_prob = next.log_prob;
  hypothesis.ended = next.token == kEndToken;
  if (!hypothesis.ended) hypothesis.ids.push_back(next.token);
  hypothesis.score = normalised(hypothesis.log_prob, hypothesis.token_log_probs.size(), penalty);
  return hypothesis;
}

// What the decoder is told after a step: which rows go on, and with which token.
struct Next {
  std::vector<int32_t> parents, tokens;
};

// The best `count` of them, best first; those that ended go before those that were cut.
std::vector<Hypothesis> ranked(std::vector<Hypothesis> hypotheses, size_t count) {
  std::stable_sort(hypotheses.begin(), hypotheses.end(), [](const Hypothesis& a, const Hypothesis& b) {
    return a.ended != b.ended ? a.ended : a.score > b.score;
  });
  hypotheses.resize(std::min(hypotheses.size(), count));
  return hypotheses;
}

// Continues one sentence; true when it is done.
bool advance(Sentence& sentence, const Candidates& candidates, size_t first_row, const SearchOptions& options,
             Next& next, const SearchObserver& observer) {
  const auto beam = static_cast<size_t>(options.beam);
  const size_t length = sentence.live.front().ids.size();
  const bool may_end = static_cast<int64_t>(length) >= options.min_length;
  const bool may_go_on = static_cast<int64_t>(length) < sentence.limit;
  const std::vector<Continuation> best = best_continuations(sentence, candidates, first_row, options);

  std::vector<Hypothesis> live;
  std::vector<bool> has_ended(sentence.live.size());
  SearchStep step{sentence.number, {}};
  for (size_t rank = 0; rank < best.size() && live.size() < beam; ++rank) {
    const Continuation& c = best[rank];
    const bool ends = c.token == kEndToken;
    const bool kept = std::isfinite(c.log_prob) && (ends ? may_end && rank < beam : may_go_on);
    if (observer) {
      const double score = normalised(c.log_prob, length + 1, options.length_penalty);
      step.rows.push_back({static_cast<int64_t>(c.parent), c.token, c.log_prob, score, ends, kept});
    }
    if (!kept) continue;
    Hypothesis hypothesis = continued(sentence.live[c.parent], c, options.length_penalty);
    if (ends) {
      has_ended[c.parent] = true;
      sentence.ended.push_back(std::move(hypothesis));
    } else {
      live.push_back(std::move(hypothesis));
      next.parents.push_back(static_cast<int32_t>(first_row + c.parent));
      next.tokens.push_back(c.token);
    }
  }
  if (observer) observer(step);

  sentence.ended = ranked(std::move(sentence.ended), beam);
  // Those alive are best first, and equally long.
  const bool may_be_beaten =
      !live.empty() && !sentence.ended.empty() && live.front().score > sentence.ended.front().score;
  if (sentence.ended.size() == beam && !may_be_beaten) {
    next.parents.resize(next.parents.size() - live.size());
    next.tokens.resize(next.parents.size());
    live.clear();
  } else if (live.empty()) {
    // Cut by the limit, or no word may follow: what did not end counts as it is, behind what did.
    for (size_t i = 0; i < sentence.live.size(); ++i)
      if (!has_ended[i]) sentence.ended.push_back(std::move(sentence.live[i]));
  }
  sentence.live = std::move(live);
  return sentence.live.empty();
}

std::vector<std::vector<Hypothesis>> beam_search(Context& c, const StepDecoder& decoder,
                                                 const TokenField& source, const SearchOptions& options,
                                                 const SearchObserver& observer) {
  std::vector<Sentence> sentences;
  const std::vector<int64_t> limit = limits(options, decoder, source.layout);
  for (int64_t i = 0; i < source.layout.sentences(); ++i) {
    sentences.push_back({i, limit[i], {Hypothesis{}}, {}});
  }
  std::vector<std::vector<Hypothesis>> results(sentences.size());
  const auto state = decoder.make_state();
  decoder.start(c, *state, source);
  // Those that may be written are 2 x beam, </s> and <unk> among them.
  const int64_t k = std::min(2 * options.beam + options.reserved - 2, decoder.vocabulary_size());
  while (!sentences.empty()) {
    const Candidates candidates = decoder.candidates(c, *state, k);
    Next next;
    size_t row = 0;
    for (Sentence& sentence : sentences) {
      const size_t rows = sentence.live.size();
      if (advance(sentence, candidates, row, options, next, observer)) {
        results[sentence.number] = ranked(std::move(sentence.ended), static_cast<size_t>(options.beam));
      }
      row += rows;
    }
    std::erase_if(sentences, [](const Sentence& sentence) { return sentence.live.empty(); });
    if (sentences.empty()) break;
    decoder.select(*state, next.parents);
    decoder.append(c, *state, next.tokens);
  }
  return results;
}

// Each row goes its own way; rows leave as they end.
std::vector<std::vector<Hypothesis>> sample(Context& c, const StepDecoder& decoder, const TokenField& source,
                                            const SearchOptions& options,
                                            std::span<const uint64_t> sentence_keys) {
  struct Row {
    int64_t sentence, number, limit;
    uint64_t key;
    Hypothesis hypothesis;
  };
  std::vector<Row> rows;
  std::vector<int32_t> parents;
  const std::vector<int64_t> limit = limits(options, decoder, source.layout);
  for (int64_t i = 0; i < source.layout.sentences(); ++i) {
    for (int64_t n = 0; n < options.beam; ++n) {
      const uint64_t key = mix64(mix64(mix64(static_cast<uint64_t>(options.seed)), sentence_keys[i]),
                                 static_cast<uint64_t>(n));
      rows.push_back({i, n, limit[i], key, {}});
      parents.push_back(static_cast<int32_t>(i));
    }
  }
  std::vector<std::vector<Hypothesis>> results(source.layout.sentences(),
                                               std::vector<Hypothesis>(static_cast<size_t>(options.beam)));
  const auto state = decoder.make_state();
  decoder.start(c, *state, source);
  decoder.select(*state, parents);
  const auto words = static_cast<size_t>(decoder.vocabulary_size());
  while (!rows.empty()) {
    const std::vector<float> log_probs = decoder.log_probs(c, *state);
    Next next;
    std::vector<Row> live;
    for (size_t i = 0; i < rows.size(); ++i) {
      Row& row = rows[i];
      const size_t length = row.hypothesis.ids.size();
      std::vector<float> distribution(log_probs.begin() + static_cast<std::ptrdiff_t>(i * words),
                                      log_probs.begin() + static_cast<std::ptrdiff_t>((i + 1) * words));
      for (const float log_prob : distribution) require_number(log_prob);
      for (int32_t token = 0; token < options.reserved; ++token)
        if (!may_be_written(options, token)) distribution[token] = -INFINITY;
      if (static_cast<int64_t>(length) < options.min_length) distribution[kEndToken] = -INFINITY;
      const int32_t token = sample_token(distribution, options.temperature, options.top_k, options.top_p,
                                         uniform(row.key, length));
      const float log_prob = log_probs[i * words + static_cast<size_t>(token)];
      const bool cut = token != kEndToken && static_cast<int64_t>(length) >= row.limit;
      if (!cut)
        row.hypothesis = continued(row.hypothesis, {0, token, log_prob, row.hypothesis.log_prob + log_prob},
                                   options.length_penalty);
      if (row.hypothesis.ended || cut) {
        results[row.sentence][row.number] = std::move(row.hypothesis);
      } else {
        next.parents.push_back(static_cast<int32_t>(i));
        next.tokens.push_back(token);
        live.push_back(std::move(row));
      }
    }
    rows = std::move(live);
    if (rows.empty()) break;
    decoder.select(*state, next.parents);
    decoder.append(c, *state, next.tokens);
  }
  return results;
}

}  // namespace

std::vector<std::vector<Hypothesis>> search(Context& c, const StepDecoder& decoder, const TokenField& source,
                                            const SearchOptions& options,
                                            std::span<const uint64_t> sentence_keys,
                                            const SearchObserver& observer) {
  if (!options.sample) return beam_search(c, decoder, source, options, observer);
  require(static_cast<int64_t>(sentence_keys.size()) == source.layout.sentences(),
          "sampling: {} sentence keys for {} sentences", sentence_keys.size(), source.layout.sentences());
  return sample(c, decoder, source, options, sentence_keys);
}

}  // namespace heed
