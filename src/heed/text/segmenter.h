// Cutting text into the pieces that a vocabulary counts, and joining them again.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace heed {

// Gives one sentence after another; false at the end.
using SentenceStream = std::function<bool(std::string& sentence)>;

// Immutable; any number of threads may use one. Text is well-formed UTF-8 without NUL and line feed.
class Segmenter {
 public:
  virtual ~Segmenter() = default;

  virtual std::vector<std::string> split(std::string_view text) const = 0;
  virtual std::string join(std::span<const std::string> pieces) const = 0;

  // For each piece the number of its word, from 0, ascending: what pictures put on their axes.
  virtual std::vector<int32_t> words(std::span<const std::string> pieces) const = 0;

  // Whether a piece is a sign of its own rather than a part of a word: pictures of what belongs to what then
  // show the pieces.
  virtual bool splits_to_characters() const { return false; }

  // What the segmenter was made from, to be kept in the model folder; empty where its kind says all.
  virtual std::string serialised() const { return {}; }
};

enum class Punctuation { kKeep, kApart, kDrop };

// Pieces are the words between white space, whatever is in them; or a word is a row of letters, digits and
// apostrophes (Unicode's, with their marks), and any other character is a piece of its own, or dropped.
std::unique_ptr<Segmenter> make_word_segmenter(Punctuation punctuation = Punctuation::kKeep);

// "▁": where a blank was, in the pieces of SentencePiece and of characters.
inline constexpr std::string_view kSpaceMark = "\u2581";

// Segmenter::words of pieces where every word but the first begins with kSpaceMark.
std::vector<int32_t> words_at_space_marks(std::span<const std::string> pieces);

// Pieces are characters (code points), kSpaceMark stands between words. White space at the ends is dropped.
std::unique_ptr<Segmenter> make_character_segmenter();

// The text of a codes file, plain or .gz.
std::string read_codes(const std::string& path);

// Byte-pair encoding (Sennrich, Haddow and Birch 2016), the pieces of subword-nmt's apply-bpe: "@@" at the
// end of each piece that is not its word's last. `codes` is the content of a codes file as learn-bpe writes
// it, version 0.1 or 0.2; `name` stands for it in messages. Throws InputError with file and line.
std::unique_ptr<Segmenter> make_bpe_segmenter(std::string codes, const std::string& name);

}  // namespace heed
