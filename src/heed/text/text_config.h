// How text becomes tokens: the `text` part of a configuration.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heed/base/config.h"
#include "heed/text/segmenter.h"
#include "heed/text/unicode.h"

namespace heed {

enum class TextKind { kSentencePiece, kBpe, kWords, kCharacters };
enum class TargetKind { kSame, kSentencePiece, kBpe, kWords, kCharacters, kLabel };
enum class SubwordAlgorithm { kUnigram, kBpe };

struct TextConfig {
  TextKind kind = TextKind::kSentencePiece;
  TargetKind target_kind = TargetKind::kSame;
  SubwordAlgorithm algorithm = SubwordAlgorithm::kUnigram;
  int64_t vocabulary = 0;
  int64_t target_vocabulary = 0;
  bool shared = true;
  Punctuation punctuation = Punctuation::kKeep;
  std::string codes;
  int64_t minimum_count = 1;
  double character_coverage = 1.0;
  bool byte_fallback = false;
  bool lowercase = false;
  NormalForm normal_form = NormalForm::kNone;
  std::vector<std::string> reserved;

  // The kind of the target side; meaningless for labels.
  TextKind kind_of_target() const;
  // Both sides have one segmenter and one vocabulary.
  bool is_shared() const { return shared && target_kind == TargetKind::kSame; }
  // What the values must agree on between them; throws InputError.
  void check() const;

  void visit(ConfigVisitor& v) {
    v("kind", kind, {"sentencepiece", "bpe", "words", "characters"},
      "how text is cut: subwords learnt here, a subword-nmt codes file, white space, or characters");
    v("target_kind", target_kind, {"same", "sentencepiece", "bpe", "words", "characters", "label"},
      "how the target side is cut, where it differs; label: the line names a class");
    v("algorithm", algorithm, {"unigram", "bpe"}, "how SentencePiece learns its pieces");
    v("vocabulary", vocabulary,
      "size of the vocabulary, reserved words included; 0: as many as suit the corpus (sentencepiece) or all",
      between(0, 1e6));
    v("target_vocabulary", target_vocabulary, "the same for the target side; 0: as vocabulary",
      between(0, 1e6));
    v("shared", shared, "one vocabulary for both sides");
    v("codes", codes, "bpe: the codes file that learn-bpe of subword-nmt wrote, plain or .gz");
    v("punctuation", punctuation, {"keep", "apart", "drop"},
      "words: what becomes of all but letters, digits and apostrophes: part of the word, a word each, or "
      "left out");
    v("minimum_count", minimum_count, "words seen less often are left out (not sentencepiece)", at_least(1));
    v("character_coverage", character_coverage, "share of the characters that sentencepiece keeps as pieces",
      between(0.9, 1.0));
    v("byte_fallback", byte_fallback, "sentencepiece spells unknown characters in bytes");
    v("lowercase", lowercase, "turn all text into lower case");
    v("normal_form", normal_form, {"none", "nfc", "nfkc"}, "Unicode normal form the text is brought into");
    v("reserved", reserved, "further reserved words, such as <mask>; they follow </s>, <unk> and <s>");
  }
};

}  // namespace heed
