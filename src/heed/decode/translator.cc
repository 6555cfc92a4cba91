#include "heed/decode/translator.h"

#include <algorithm>

#include "heed/base/error.h"
#include "heed/base/text_key.h"
#include "heed/data/batch.h"

namespace heed {

void TranslateOptions::visit(ConfigVisitor& v) {
  search.visit(v);
  v("n_best", n_best,
    "hypotheses given for each line, at most the beam, and empty lines where fewer are found; sampling: "
    "samples",
    between(1, 1000));
  v("batch_sentences", batch_sentences, "most sentences translated at once", between(1, 65536));
  v("batch_tokens", batch_tokens, "most source tokens translated at once", between(1, 1 << 24));
  v("max_source_length", max_source_length, "longer sources are cut to so many tokens", between(1, 1 << 20));
}

void TranslateOptions::check() const {
  constexpr int64_t kMostPositions = int64_t{1} << 30;  // they are added up in 32 bits
  const int64_t hypotheses = search.sample ? n_best : search.beam;
  require(hypotheses >= 1 && n_best >= 1, "translating: beam {} and n_best {}, expected 1 or more",
          search.beam, n_best);
  if (batch_tokens > kMostPositions / hypotheses)
    fail_input(
        "{} {} times batch_tokens {} is more than the {} positions that a batch may have; lower one of them",
        search.sample ? "n_best" : "beam", hypotheses, batch_tokens, kMostPositions);
}

namespace {

TranslatedHypothesis in_words(const TextProcessor& target, const Hypothesis& hypothesis) {
  std::vector<std::string> pieces = target.pieces(hypothesis.ids);
  std::string text = target.join(pieces);
  return {std::move(text),  std::move(pieces),   hypothesis.token_log_probs,
          hypothesis.score, hypothesis.log_prob, hypothesis.ended};
}

}  // namespace

SourceLine Translator::read(const std::string& line, int64_t max_source_length) const {
  const auto longest = static_cast<size_t>(std::min(max_source_length, decoder_->longest() - 1));
  SourceLine read{text_.source->split(line)};
  read.cut = read.pieces.size() > longest;
  if (read.cut) read.pieces.resize(longest);
  return read;
}

std::vector<Translation> Translator::translate(Context& c, const std::vector<std::string>& lines,
                                               const TranslateOptions& options,
                                               const SearchObserver& observer) const {
  options.check();
  std::vector<Translation> translations(lines.size());
  std::vector<std::vector<int32_t>> sources(lines.size());
  std::vector<size_t> order;  // lines with something in them, similar lengths together
  for (size_t i = 0; i < lines.size(); ++i) {
    SourceLine line = read(lines[i], options.max_source_length);
    translations[i].source_pieces = std::move(line.pieces);
    translations[i].cut = line.cut;
    if (translations[i].source_pieces.empty()) {
      translations[i].hypotheses.emplace_back().ended = true;
      continue;
    }
    sources[i] = text_.source->ids(translations[i].source_pieces);
    sources[i].push_back(kEndToken);
    order.push_back(i);
  }
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return sources[a].size() > sources[b].size(); });
  std::vector<std::vector<int32_t>> in_order;
  for (const size_t i : order) in_order.push_back(std::move(sources[i]));

  SearchOptions how = options.search;
  how.reserved = text_.target->vocabulary().reserved();
  if (how.sample) how.beam = options.n_best;  // as many samples as are asked for
  for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    end = end_of_batch(in_order, begin, options.batch_sentences, options.batch_tokens);
    const TokenField batch = make_field(std::span(in_order).subspan(begin, end - begin));
    std::vector<uint64_t> keys;
    for (size_t i = begin; i < end; ++i) keys.push_back(key_of_text(lines[order[i]]));
    // Search numbers the sentences of its batch.
    const SearchObserver of_line = [&](SearchStep step) {
      step.sentence = static_cast<int64_t>(order[begin + static_cast<size_t>(step.sentence)]);
      observer(step);
    };
    const auto found = search(c, *decoder_, batch, how, keys, observer ? of_line : SearchObserver());
    for (size_t i = 0; i < found.size(); ++i) {
      Translation& translation = translations[order[begin + i]];
      const size_t count = std::min(found[i].size(), static_cast<size_t>(options.n_best));
      for (size_t n = 0; n < count; ++n) {
        translation.hypotheses.push_back(in_words(*text_.target, found[i][n]));
      }
    }
  }
  return translations;
}

}  // namespace heed
