#include "heed/decode/translator.h"

#include <algorithm>
#include <numeric>

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
  std::vector<Translation> translations(lines.size());
  std::vector<std::vector<int32_t>> sources(lines.size());
  std::vector<size_t> order;  // sentences with something in them, similar lengths together
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

  SearchOptions how = options.search;
  how.reserved = text_.target->vocabulary().reserved();
  if (how.sample) how.beam = options.n_best;  // as many samples as are asked for
  for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    std::vector<std::vector<int32_t>> batch;
    std::vector<uint64_t> keys;
    int64_t tokens = 0;
    for (; end < order.size(); ++end) {
      const auto length = static_cast<int64_t>(sources[order[end]].size());
      const bool full = static_cast<int64_t>(batch.size()) >= options.batch_sentences ||
                        tokens + length > options.batch_tokens;
      if (!batch.empty() && full) break;
      batch.push_back(sources[order[end]]);
      keys.push_back(key_of_text(lines[order[end]]));
      tokens += length;
    }
    // Search numbers the sentences of its batch.
    const SearchObserver of_line = [&](SearchStep step) {
      step.sentence = static_cast<int64_t>(order[begin + static_cast<size_t>(step.sentence)]);
      observer(step);
    };
    const auto found =
        search(c, *decoder_, make_field(batch), how, keys, observer ? of_line : SearchObserver());
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
