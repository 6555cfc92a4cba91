// Text in, ids out, and back: the text part of a model, one processor a side.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "heed/text/segmenter.h"
#include "heed/text/text_config.h"
#include "heed/text/vocabulary.h"

namespace heed {

// Pieces joined to words, as pictures and word alignments want them.
struct WordPieces {
  std::vector<int32_t> word_of_piece;  // for each piece the number of its word, from 0, ascending
  std::vector<std::string> words;      // their text
};

// Immutable; any number of threads may use one.
class TextProcessor {
 public:
  TextProcessor(std::unique_ptr<const Segmenter> segmenter, Vocabulary vocabulary, bool lowercase,
                NormalForm normal_form);

  // Text in the normal form and case that the model reads and writes. Throws InputError on invalid UTF-8.
  std::string prepared(std::string_view text) const;

  // Cuts text (UTF-8, one sentence) into pieces; one that the vocabulary lacks keeps its own text.
  // Throws InputError on invalid UTF-8.
  std::vector<std::string> split(std::string_view text) const;
  // The ids of the pieces, kUnknown where the vocabulary lacks one.
  std::vector<int32_t> ids(std::span<const std::string> pieces) const;
  // Both at once, with </s> at the end: what models read.
  std::vector<int32_t> encode(std::string_view text) const;

  // Up to the first </s>; other reserved words but <unk> are left out. Throws InputError where an id is
  // outside the vocabulary.
  std::vector<std::string> pieces(std::span<const int32_t> ids) const;
  std::string join(std::span<const std::string> pieces) const { return segmenter_->join(pieces); }
  std::string decode(std::span<const int32_t> ids) const { return join(pieces(ids)); }

  WordPieces words(std::span<const std::string> pieces) const;

  const Vocabulary& vocabulary() const { return vocabulary_; }
  const Segmenter& segmenter() const { return *segmenter_; }

 private:
  std::unique_ptr<const Segmenter> segmenter_;
  Vocabulary vocabulary_;
  bool lowercase_;
  NormalForm normal_form_;
};

enum class TextSide { kSource, kTarget, kBoth };

// Opens the training sentences of a side from their beginning; both: in any fixed order.
using OpenSentences = std::function<SentenceStream(TextSide)>;

// The files of a model's text part, by name.
using TextFiles = std::map<std::string, std::string>;

// The text part of a model. One vocabulary for both sides is one processor, held twice.
struct ModelText {
  std::shared_ptr<const TextProcessor> source;
  std::shared_ptr<const TextProcessor> target;  // null for a classifier
  Labels labels;                                // of a classifier

  bool shared() const { return source == target; }
  // "8000 shared words", "12 source and 14 target words", "9000 words and 2 labels"
  std::string sizes() const;

  // Learns from the corpus what the configuration asks for. `corpus` names it in messages.
  // Throws InputError where the configuration and the corpus do not fit together.
  static ModelText build(const TextConfig& config, const OpenSentences& open, const std::string& corpus);

  // `config` is the one it was built or loaded with.
  TextFiles save(const TextConfig& config) const;
  // What save() gives and load() needs.
  static std::vector<std::string> file_names(const TextConfig& config);
  // `folder` goes before the names in messages. Throws InputError on a missing or damaged file.
  static ModelText load(const TextConfig& config, const TextFiles& files, const std::string& folder);
};

}  // namespace heed
