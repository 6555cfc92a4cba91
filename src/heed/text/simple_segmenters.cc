// Words and characters.
#include "heed/text/segmenter.h"
#include "heed/text/unicode.h"

namespace heed {
namespace {

class WordSegmenter : public Segmenter {
 public:
  explicit WordSegmenter(Punctuation punctuation) : punctuation_(punctuation) {}

  std::vector<std::string> split(std::string_view text) const override {
    const std::vector<std::string_view> words = split_words(text);
    if (punctuation_ == Punctuation::kKeep) return {words.begin(), words.end()};
    std::vector<std::string> pieces;
    for (const std::string_view word : words) split_at_punctuation(word, pieces);
    return pieces;
  }

  std::string join(std::span<const std::string> pieces) const override {
    std::string text;
    for (const std::string& piece : pieces) text.append(text.empty() ? "" : " ").append(piece);
    return text;
  }

  std::vector<int32_t> words(std::span<const std::string> pieces) const override {
    std::vector<int32_t> words;
    for (size_t i = 0; i < pieces.size(); ++i) words.push_back(static_cast<int32_t>(i));
    return words;
  }

 private:
  void split_at_punctuation(std::string_view word, std::vector<std::string>& pieces) const {
    size_t begin = 0;  // of the word that goes on
    for (size_t i = 0, length = 0; i < word.size(); i += length) {
      length = utf8_length(word[i]);
      const std::string_view character = word.substr(i, length);
      if (character == "'" || is_word_character(character)) continue;
      if (i > begin) pieces.emplace_back(word.substr(begin, i - begin));
      if (punctuation_ == Punctuation::kApart) pieces.emplace_back(character);
      begin = i + length;
    }
    if (begin < word.size()) pieces.emplace_back(word.substr(begin));
  }

  Punctuation punctuation_;
};

class CharacterSegmenter : public Segmenter {
 public:
  std::vector<std::string> split(std::string_view text) const override {
    std::vector<std::string> pieces;
    for (std::string_view word : split_words(text)) {
      if (!pieces.empty()) pieces.emplace_back(kSpaceMark);
      for (size_t i = 0; i < word.size(); i += utf8_length(word[i]))
        pieces.emplace_back(word.substr(i, utf8_length(word[i])));
    }
    return pieces;
  }

  std::string join(std::span<const std::string> pieces) const override {
    std::string text;
    for (const std::string& piece : pieces) text += piece == kSpaceMark ? " " : std::string_view(piece);
    return text;
  }

  std::vector<int32_t> words(std::span<const std::string> pieces) const override {
    return words_at_space_marks(pieces);
  }

  bool splits_to_characters() const override { return true; }
};

}  // namespace

std::vector<int32_t> words_at_space_marks(std::span<const std::string> pieces) {
  std::vector<int32_t> words;
  for (const std::string& piece : pieces) {
    const int32_t last = words.empty() ? 0 : words.back();
    words.push_back(piece.starts_with(kSpaceMark) && !words.empty() ? last + 1 : last);
  }
  return words;
}

std::unique_ptr<Segmenter> make_word_segmenter(Punctuation punctuation) {
  return std::make_unique<WordSegmenter>(punctuation);
}

std::unique_ptr<Segmenter> make_character_segmenter() {
  return std::make_unique<CharacterSegmenter>();
}

}  // namespace heed
