// Building, saving and loading the text part of a model.
#include <algorithm>
#include <cmath>
#include <unordered_set>
#include <utility>

#include "heed/base/error.h"
#include "heed/text/line_reader.h"
#include "heed/text/sentencepiece.h"
#include "heed/text/text_processor.h"
#include "heed/text/unicode.h"

namespace heed {
std::string read_codes(const std::string& path) {
  if (path.empty())
    fail_input("text.codes: the codes file of learn-bpe (subword-nmt) is missing; text.kind bpe needs it");
  LineReader reader(path);
  std::string codes, line;
  while (reader.next(line)) codes.append(line).push_back('\n');
  return codes;
}

namespace {

using Processor = std::shared_ptr<const TextProcessor>;

constexpr const char* kLabelsFile = "labels";

Processor make_processor(const TextConfig& config, std::unique_ptr<Segmenter> segmenter,
                         Vocabulary vocabulary) {
  return std::make_shared<TextProcessor>(std::move(segmenter), std::move(vocabulary), config.lowercase,
                                         config.normal_form);
}

std::unique_ptr<Segmenter> make_segmenter(const TextConfig& config, TextKind kind, std::string codes,
                                          const std::string& name) {
  switch (kind) {
    case TextKind::kBpe:
      return make_bpe_segmenter(std::move(codes), name);
    case TextKind::kWords:
      return make_word_segmenter(config.punctuation);
    case TextKind::kCharacters:
      return make_character_segmenter();
    case TextKind::kSentencePiece:
      break;
  }
  fail("text: {} is not made by rules", static_cast<int>(kind));
}

// Sentences as the pieces will see them: normalised, in lower case where that is asked for.
SentenceStream prepared(const TextConfig& config, SentenceStream stream) {
  if (!config.lowercase && config.normal_form == NormalForm::kNone) return stream;
  return [stream = std::move(stream), form = config.normal_form,
          lower = config.lowercase](std::string& sentence) {
    if (!stream(sentence)) return false;
    sentence = normalise(sentence, form);
    if (lower) sentence = lowercase(sentence);
    return true;
  };
}

// What suits the corpus, growing with the square root of its words as their variety does: 8,000 pieces for
// half a million words, 16,000 for two millions. Twice its characters at the least: scripts with thousands of
// them have no blanks by which to count words.
int64_t suitable_vocabulary(const SentenceStream& stream) {
  size_t words = 0;
  std::unordered_set<std::string> characters;
  for (std::string sentence; stream(sentence);) {
    words += split_words(sentence).size();
    for (size_t at = 0; at < sentence.size(); at += utf8_length(sentence[at]))
      characters.insert(sentence.substr(at, utf8_length(sentence[at])));
  }
  const double thousands = std::round(11.3e-3 * std::sqrt(static_cast<double>(words)));
  return std::max(1000 * static_cast<int64_t>(std::clamp(thousands, 1.0, 32.0)),
                  2 * static_cast<int64_t>(characters.size()));
}

Processor build_side(const TextConfig& config, TextKind kind, TextSide side, int64_t vocabulary,
                     const OpenSentences& open, const std::string& corpus) {
  if (kind == TextKind::kSentencePiece) {
    SentencePieceOptions options;
    options.unigram = config.algorithm == SubwordAlgorithm::kUnigram;
    options.exact = vocabulary > 0;
    options.vocabulary = vocabulary > 0 ? vocabulary : suitable_vocabulary(prepared(config, open(side)));
    options.character_coverage = config.character_coverage;
    options.byte_fallback = config.byte_fallback;
    options.reserved = config.reserved;
    std::string bytes = train_sentencepiece(options, prepared(config, open(side)), corpus);
    SentencePieceModel model = load_sentencepiece(std::move(bytes), corpus, config.reserved);
    return make_processor(config, std::move(model.segmenter), std::move(model.vocabulary));
  }

  std::string codes = kind == TextKind::kBpe ? read_codes(config.codes) : std::string();
  std::unique_ptr<Segmenter> segmenter = make_segmenter(config, kind, std::move(codes), config.codes);
  const SentenceStream stream = prepared(config, open(side));
  WordCounts counts;
  for (std::string sentence; stream(sentence);)
    for (const std::string& piece : segmenter->split(sentence)) ++counts[piece];
  if (counts.empty()) fail_input("{}: no words to build a vocabulary from; the corpus is empty", corpus);
  return make_processor(config, std::move(segmenter),
                        Vocabulary::from_counts(counts, config.minimum_count, vocabulary, config.reserved));
}

Labels build_labels(const SentenceStream& stream, const std::string& corpus) {
  WordCounts counts;
  for (std::string line; stream(line);)
    if (!line.empty()) ++counts[line];
  if (counts.size() < 2)
    fail_input("{}: {} different labels in the target column; at least two are expected", corpus,
               counts.size());
  std::vector<std::string> names;
  for (const auto& [name, count] : counts) names.push_back(name);
  return Labels(std::move(names));
}

void save_side(const TextProcessor& processor, TextKind kind, const std::string& side, TextFiles& files) {
  if (kind == TextKind::kSentencePiece) {
    files[side + ".spm"] = processor.segmenter().serialised();
    return;
  }
  if (kind == TextKind::kBpe) files[side + ".bpe"] = processor.segmenter().serialised();
  files[side + ".vocabulary"] = processor.vocabulary().serialised();
}

Processor load_side(const TextConfig& config, TextKind kind, const std::string& side, const TextFiles& files,
                    const std::string& folder) {
  const auto path = [&](const std::string& ending) { return folder + "/" + side + ending; };
  const auto content = [&](const std::string& ending) {
    const auto found = files.find(side + ending);
    if (found == files.end()) fail_input("{}: missing; the model folder is incomplete", path(ending));
    return found->second;
  };
  if (kind == TextKind::kSentencePiece) {
    SentencePieceModel model = load_sentencepiece(content(".spm"), path(".spm"), config.reserved);
    return make_processor(config, std::move(model.segmenter), std::move(model.vocabulary));
  }
  std::string codes = kind == TextKind::kBpe ? content(".bpe") : std::string();
  return make_processor(config, make_segmenter(config, kind, std::move(codes), path(".bpe")),
                        Vocabulary::parse(content(".vocabulary"), path(".vocabulary"), config.reserved));
}

}  // namespace

ModelText ModelText::build(const TextConfig& config, const OpenSentences& open, const std::string& corpus) {
  config.check();
  const int64_t target_size = config.target_vocabulary > 0 ? config.target_vocabulary : config.vocabulary;
  ModelText text;
  if (config.target_kind == TargetKind::kLabel) {
    text.source = build_side(config, config.kind, TextSide::kSource, config.vocabulary, open, corpus);
    text.labels = build_labels(open(TextSide::kTarget), corpus);
  } else if (config.is_shared()) {
    text.source = build_side(config, config.kind, TextSide::kBoth, config.vocabulary, open, corpus);
    text.target = text.source;
  } else {
    text.source = build_side(config, config.kind, TextSide::kSource, config.vocabulary, open, corpus);
    text.target = build_side(config, config.kind_of_target(), TextSide::kTarget, target_size, open, corpus);
  }
  return text;
}

TextFiles ModelText::save(const TextConfig& config) const {
  TextFiles files;
  if (shared()) {
    save_side(*source, config.kind, "shared", files);
    return files;
  }
  save_side(*source, config.kind, "source", files);
  if (target)
    save_side(*target, config.kind_of_target(), "target", files);
  else
    files[kLabelsFile] = labels.serialised();
  return files;
}

std::string ModelText::sizes() const {
  const int64_t words = source->vocabulary().size();
  if (labels.size() > 0) return fmt::format("{} words and {} labels", words, labels.size());
  if (shared()) return fmt::format("{} shared words", words);
  return fmt::format("{} source and {} target words", words, target->vocabulary().size());
}

std::vector<std::string> ModelText::file_names(const TextConfig& config) {
  std::vector<std::string> names;
  const auto add_side = [&](TextKind kind, const std::string& side) {
    names.push_back(side + (kind == TextKind::kSentencePiece ? ".spm" : ".vocabulary"));
    if (kind == TextKind::kBpe) names.push_back(side + ".bpe");
  };
  add_side(config.kind, config.is_shared() ? "shared" : "source");
  if (config.target_kind == TargetKind::kLabel)
    names.emplace_back(kLabelsFile);
  else if (!config.is_shared())
    add_side(config.kind_of_target(), "target");
  return names;
}

ModelText ModelText::load(const TextConfig& config, const TextFiles& files, const std::string& folder) {
  config.check();
  ModelText text;
  if (config.is_shared()) {
    text.source = text.target = load_side(config, config.kind, "shared", files, folder);
    return text;
  }
  text.source = load_side(config, config.kind, "source", files, folder);
  if (config.target_kind != TargetKind::kLabel) {
    text.target = load_side(config, config.kind_of_target(), "target", files, folder);
    return text;
  }
  const std::string path = folder + "/" + kLabelsFile;
  const auto found = files.find(kLabelsFile);
  if (found == files.end()) fail_input("{}: missing; the model folder is incomplete", path);
  text.labels = Labels::parse(found->second, path);
  return text;
}

}  // namespace heed
