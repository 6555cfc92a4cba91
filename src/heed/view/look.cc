#include "heed/view/look.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "heed/base/text_util.h"
#include "heed/data/batch.h"
#include "heed/text/unicode.h"

namespace heed::view {
namespace {

// One side of a sentence pair: its tokens, and how they make words.
struct Side {
  std::vector<int32_t> ids;
  std::vector<std::string> tokens;
  WordsOfPieces words;
  bool of_characters = false;

  explicit Side(const TextProcessor& processor)
      : of_characters(processor.segmenter().splits_to_characters()) {}

  Side& add(const TextProcessor& processor, std::span<const std::string> pieces) {
    const auto first = static_cast<int32_t>(words.words.size());
    const std::vector<int32_t> more = processor.ids(pieces);
    ids.insert(ids.end(), more.begin(), more.end());
    tokens.insert(tokens.end(), pieces.begin(), pieces.end());
    const WordPieces joined = processor.words(pieces);
    for (const int32_t word : joined.word_of_piece) words.word_of_piece.push_back(first + word);
    words.words.insert(words.words.end(), joined.words.begin(), joined.words.end());
    return *this;
  }
  Side& add_mark(int32_t id, std::string_view mark) {
    ids.push_back(id);
    tokens.emplace_back(mark);
    words.word_of_piece.push_back(static_cast<int32_t>(words.words.size()));
    words.words.emplace_back(mark);
    return *this;
  }
};

Side side_of(const TextProcessor& processor, const std::string& text) {
  return Side(processor).add(processor, processor.split(text)).add_mark(kEndToken, kEndMark);
}

// The tokens that the model chose: their text, cut anew, may give others, and one that the limit cut has no
// </s>.
Side side_of(const TextProcessor& processor, const TranslatedHypothesis& output) {
  Side side = Side(processor).add(processor, output.pieces);
  // Nothing at all cannot be read.
  if (output.ended || output.pieces.empty()) side.add_mark(kEndToken, kEndMark);
  return side;
}

// What the decoder reads while it writes this: <s>, then each token but the last.
Side shifted_right(const TextProcessor& processor, const Side& written) {
  return Side(processor)
      .add_mark(kBeginToken, kBeginMark)
      .add(processor, std::span(written.tokens).first(written.tokens.size() - 1));
}

WordsOfPieces each_its_own(const std::vector<std::string>& pieces) {
  WordsOfPieces words{std::vector<int32_t>(pieces.size()), pieces};
  std::iota(words.word_of_piece.begin(), words.word_of_piece.end(), 0);
  return words;
}

// What a map joins the side's pieces to: characters stay as they are, for their order is what one looks at.
WordsOfPieces shown_words(const Side& side) {
  return side.of_characters ? each_its_own(side.tokens) : side.words;
}

// The words of a text between its blanks, punctuation and all, and which of them each piece is from; `pieces`
// may end before the text does. Where the text is not cut word by word, the words that its pieces make.
WordsOfPieces written_words(const TextProcessor& processor, std::string_view text,
                            std::span<const std::string> pieces) {
  WordsOfPieces written;
  std::vector<std::string> made;
  for (const std::string_view word : split_words(text)) {
    const std::vector<std::string> cut = processor.split(word);
    if (made.size() >= pieces.size() && !cut.empty()) break;
    written.word_of_piece.insert(written.word_of_piece.end(), cut.size(),
                                 static_cast<int32_t>(written.words.size()));
    written.words.emplace_back(word);
    made.insert(made.end(), cut.begin(), cut.end());
  }
  if (made.size() < pieces.size() || !std::equal(pieces.begin(), pieces.end(), made.begin())) {
    WordPieces joined = processor.words(pieces);
    return {std::move(joined.word_of_piece), std::move(joined.words)};
  }
  written.word_of_piece.resize(pieces.size());
  return written;
}

std::string name_of(AttentionKind kind, int64_t layer, int64_t head) {
  static constexpr const char* kKinds[] = {"encoder ", "decoder ", ""};
  return fmt::format("{}layer {}, head {}", kKinds[static_cast<int>(kind)], layer + 1, head + 1);
}

std::vector<AttentionHead> heads_of(const std::vector<AttentionWeights>& seen, const LookOptions& options) {
  if (seen.empty()) fail_input("the model has no attention to show: it was made with model.attention: none");
  std::vector<AttentionHead> heads;
  int64_t layers = 0, most_heads = 0;
  for (const AttentionWeights& attention : seen) {
    if (attention.kind != options.kind) continue;
    const int64_t count = attention.weights.shape()[0], size = attention.weights.size() / count;
    layers = std::max(layers, attention.layer + 1);
    most_heads = std::max(most_heads, count);
    if (options.layer > 0 && attention.layer + 1 != options.layer) continue;
    for (int64_t head = 0; head < count; ++head) {
      if (options.head > 0 && head + 1 != options.head) continue;
      const float* weights = attention.weights.data<float>() + head * size;
      heads.push_back({name_of(attention.kind, attention.layer, head), {weights, weights + size}});
    }
  }
  if (layers == 0) {
    static constexpr const char* kMissing[] = {"the encoder to itself", "the decoder to itself",
                                               "the decoder to the source"};
    fail_input("the model has no attention of {}", kMissing[static_cast<int>(options.kind)]);
  }
  if (heads.empty()) {
    std::string asked = options.layer > 0 ? fmt::format("layer {}", options.layer) : "";
    if (options.head > 0) asked += fmt::format("{}head {}", asked.empty() ? "" : ", ", options.head);
    const auto counted = [](int64_t n, const char* what) {
      return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
    };
    fail_input("the model has {} with {}, and no {}", counted(layers, "layer"), counted(most_heads, "head"),
               asked);
  }
  return heads;
}

void require_words(bool any) {
  if (!any) fail_input("the text is empty; there is nothing to attend to");
}

// A text as a model that translates reads it.
struct ReadSource {
  ReadSource(const SavedModel& model, const std::string& text) : side(*model.text().source) {
    const SourceLine line = model.translator().read(text);
    require_words(!line.pieces.empty());
    side.add(*model.text().source, line.pieces).add_mark(kEndToken, kEndMark);
    cut = line.cut;
  }

  Side side;
  bool cut;  // it had more
};

// A sentence pair as the model meets it.
struct SentencePair {
  SentencePair(const SavedModel& model, ReadSource read, Side written)
      : source(std::move(read.side)),
        cut(read.cut),
        target(std::move(written)),
        inputs(shifted_right(*model.text().target, target)) {}

  Side source;
  bool cut;  // the source had more
  Side target;
  Side inputs;  // of the decoder
};

std::vector<AttentionWeights> attention_of(SavedModel& model, const SentencePair& pair) {
  return model.encoder_decoder().attention(model.context(), make_field(std::span(&pair.source.ids, 1)),
                                           make_field(std::span(&pair.target.ids, 1)));
}

AttentionMap map_of(const std::vector<AttentionWeights>& seen, const SentencePair& pair,
                    const LookOptions& options) {
  const Side& queries = options.kind == AttentionKind::encoder ? pair.source : pair.target;
  const Side& keys = options.kind == AttentionKind::decoder ? pair.inputs : pair.source;
  static constexpr const char* kTitles[] = {"The encoder attends to the source",
                                            "The decoder attends to what it has written",
                                            "The decoder attends to the source"};
  AttentionMap map{keys.tokens, queries.tokens, heads_of(seen, options)};
  map.title = kTitles[static_cast<int>(options.kind)];
  map.cut = pair.cut;
  if (map.heads.size() > 1) map.heads.insert(map.heads.begin(), average_head(map));
  return options.join ? join_subwords(map, shown_words(keys), shown_words(queries)) : map;
}

// A text that a classifier reads, all of it.
Side checked_text(const SavedModel& model, const std::string& text) {
  Side side = side_of(*model.text().source, text);
  require_words(side.ids.size() > 1);
  return side;
}

// Collects a beam search's steps as a tree.
class TreeBuilder {
 public:
  TreeBuilder(const TextProcessor& processor, const std::string& source) : processor_(processor) {
    tree_.source = source;
  }

  void add(const SearchStep& step) {
    std::vector<int32_t> rows;
    for (const SearchStep::Row& row : step.rows) {
      const int32_t parent = rows_.empty() ? -1 : rows_.at(static_cast<size_t>(row.parent));
      const BeamState state = !row.kept   ? BeamState::pruned
                              : row.ended ? BeamState::finished
                                          : BeamState::expanded;
      const auto node = static_cast<int32_t>(tree_.nodes.size());
      tree_.nodes.push_back(
          {parent, processor_.vocabulary().word(row.token), row.log_prob, state, row.score});
      tokens_.push_back(row.token);
      if (state == BeamState::expanded) rows.push_back(node);
    }
    rows_ = std::move(rows);
  }

  // Marks the end of the best hypothesis.
  BeamTree finish(const TranslatedHypothesis& best) {
    const BeamState end = best.ended ? BeamState::finished : BeamState::expanded;
    for (size_t i = 0; i < tree_.nodes.size(); ++i) {
      if (tree_.nodes[i].state != end || processor_.pieces(path_to(i)) != best.pieces) continue;
      tree_.nodes[i].state = BeamState::winner;
      break;
    }
    return std::move(tree_);
  }

 private:
  std::vector<int32_t> path_to(size_t end) const {
    std::vector<int32_t> path;
    for (auto node = static_cast<int32_t>(end); node >= 0;
         node = tree_.nodes[static_cast<size_t>(node)].parent)
      path.push_back(tokens_[static_cast<size_t>(node)]);
    std::reverse(path.begin(), path.end());
    return path;
  }

  const TextProcessor& processor_;
  BeamTree tree_;
  std::vector<int32_t> tokens_;  // of the nodes
  std::vector<int32_t> rows_;    // nodes that are the beam's rows now
};

// Each token of the output with its probability and what else was likely.
ScoredOutput scored(SavedModel& model, const std::string& text, const SentencePair& pair) {
  constexpr size_t kOthers = 4;
  Context& c = model.context();
  const Side& target = pair.target;
  const Tensor log_probs = model.encoder_decoder().log_probs(c, make_field(std::span(&pair.source.ids, 1)),
                                                             make_field(std::span(&target.ids, 1)));
  ScoredOutput output{text, {}};
  std::vector<int32_t> order(static_cast<size_t>(log_probs.width()));
  for (int64_t r = 0; r < log_probs.rows(); ++r) {
    const float* row = log_probs.row<float>(r);
    const int32_t said = target.ids[static_cast<size_t>(r)];
    TokenProbability token{target.tokens[static_cast<size_t>(r)], std::exp(row[said])};
    for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int32_t>(i);
    const size_t shown = std::min(kOthers + 1, order.size());
    std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(shown), order.end(),
                      [&](int32_t a, int32_t b) { return row[a] > row[b]; });
    for (size_t i = 0; i < shown && token.others.size() < kOthers; ++i) {
      if (order[i] != said) {
        token.others.emplace_back(model.text().target->vocabulary().word(order[i]), std::exp(row[order[i]]));
      }
    }
    output.tokens.push_back(std::move(token));
  }
  c.arena.reset();
  return output;
}

// What a classifier makes of a text; without weights where it does not attend.
WordWeights words_of(SavedModel& model, const std::string& text, bool join) {
  const TextProcessor& processor = *model.text().source;
  Side side = checked_text(model, text);
  const auto [read, cut] = model.text_classifier().read(text);
  side.tokens.resize(read.size() - 1);  // a text that was cut ends where the model stops reading
  WordsOfPieces shown =
      join ? written_words(processor, processor.prepared(text), side.tokens) : each_its_own(side.tokens);
  shown.word_of_piece.push_back(static_cast<int32_t>(shown.words.size()));
  shown.words.emplace_back(kEndMark);

  Context& c = model.context();
  const std::vector<Tensor> seen = model.classifier().attention(c, make_field(std::span(&read, 1)));
  c.arena.reset();
  const ClassifiedText classified = model.text_classifier().classify(c, {text}).front();

  WordWeights words;
  words.label = classified.label;
  words.probability = classified.probability();
  words.joined = shown.words.size() < read.size();
  words.cut = cut;
  words.words = std::move(shown.words);
  if (seen.empty()) return words;
  words.weights.resize(words.words.size());
  const float* weights = seen.front().data<float>();
  for (size_t i = 0; i < read.size(); ++i)
    words.weights[static_cast<size_t>(shown.word_of_piece[i])] += weights[i];
  return words;
}

}  // namespace

AttentionMap look(SavedModel& model, const std::string& source, const std::optional<std::string>& target,
                  const LookOptions& options) {
  ReadSource read(model, source);
  const TextProcessor& processor = *model.text().target;
  const SentencePair pair(
      model, std::move(read),
      target ? side_of(processor, *target)
             : side_of(processor, model.translate(std::vector{source}).front().hypotheses.front()));
  AttentionMap map = map_of(attention_of(model, pair), pair, options);
  model.context().arena.reset();
  return map;
}

WordWeights look_at_words(SavedModel& model, const std::string& text, bool join) {
  WordWeights words = words_of(model, text, join);
  if (words.weights.empty())
    fail_input("the model does not attend: its configuration has no attention in model.pooling");
  return words;
}

void look_at_text(SavedModel& model, const std::string& text, RunReport& report) {
  report.texts.push_back(words_of(model, text, true));
}

void look_at_sentence(SavedModel& model, const std::string& source, const SearchOptions& search,
                      RunReport& report) {
  ReadSource read(model, source);
  TreeBuilder tree(*model.text().target, source);
  TranslateOptions options;
  options.search = search;
  const std::vector<Translation> translations = model.translator().translate(
      model.context(), {source}, options, [&](const SearchStep& step) { tree.add(step); });
  const TranslatedHypothesis& best = translations.front().hypotheses.front();
  const SentencePair pair(model, std::move(read), side_of(*model.text().target, best));
  const std::vector<AttentionWeights> seen = attention_of(model, pair);
  for (const AttentionKind kind : {AttentionKind::source, AttentionKind::encoder, AttentionKind::decoder}) {
    if (std::any_of(seen.begin(), seen.end(), [&](const AttentionWeights& w) { return w.kind == kind; }))
      report.attention.push_back(map_of(seen, pair, {.kind = kind}));
  }
  if (pair.cut) report.log.notes.push_back(in_quotes(source) + ": " + std::string(kTextGoesOn));
  report.beams.push_back(tree.finish(best));
  report.outputs.push_back(scored(model, source, pair));
}

}  // namespace heed::view
