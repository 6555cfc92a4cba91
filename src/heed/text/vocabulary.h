// Words and their ids. Immutable; any number of threads may read one.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace heed {

// Lets string maps be asked with views.
struct StringHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
template <class Value>
using StringMap = std::unordered_map<std::string, Value, StringHash, std::equal_to<>>;

using WordCounts = StringMap<int64_t>;

// Ids 0, 1, 2 are reserved in every vocabulary; further reserved words (<mask>, ...) follow them, then the
// words of the text. A reserved word never comes out of text: whoever writes "</s>" gets <unk>.
class Vocabulary {
 public:
  static constexpr int32_t kEnd = 0;      // </s> ends every sentence
  static constexpr int32_t kUnknown = 1;  // <unk>
  static constexpr int32_t kBegin = 2;    // <s>

  Vocabulary() : Vocabulary({}, {}) {}

  // Words in the order of their ids, after the reserved ones. Throws InputError on an empty or repeated word.
  Vocabulary(std::vector<std::string> reserved, std::vector<std::string> words);

  // Most frequent first, ties in the order of bytes; words rarer than minimum_count are left out, and the
  // rarest ones too where the vocabulary, reserved words included, would exceed `largest` (0: no limit).
  static Vocabulary from_counts(const WordCounts& counts, int64_t minimum_count = 1, int64_t largest = 0,
                                std::vector<std::string> reserved = {});

  // The file: UTF-8, one word a line, line i + 1 is id i, the reserved words first. `name` stands for the
  // file in messages. Throws InputError with file and line.
  static Vocabulary parse(std::string_view file, const std::string& name,
                          std::vector<std::string> reserved = {});
  std::string serialised() const;

  int64_t size() const { return static_cast<int64_t>(words_.size()); }
  // The id of a word of text, kUnknown where there is none.
  int32_t id(std::string_view word) const;
  // Throws InputError where the id is outside the vocabulary.
  const std::string& word(int32_t id) const;
  bool is_reserved(int32_t id) const { return id < reserved_; }
  int32_t reserved() const { return reserved_; }  // how many
  // The id of a reserved word by its name.
  std::optional<int32_t> reserved_id(std::string_view name) const;

 private:
  std::vector<std::string> words_;
  int32_t reserved_ = 0;  // how many of them are reserved
  StringMap<int32_t> ids_;
};

// How the words of one vocabulary are numbered in another that should have the same.
struct SameWords {
  std::vector<int32_t> ids;  // in the other, of each word
  std::string difference;    // nothing where they are the same, else as "12, not 14; it lacks \"x\""
};
SameWords same_words(const Vocabulary& words, const Vocabulary& other);

// Each token's entry of `ids`. Throws InputError where there is none.
std::vector<int32_t> renumbered(std::span<const int32_t> tokens, std::span<const int32_t> ids);

// The names of a classifier's classes, in the order of bytes.
class Labels {
 public:
  Labels() = default;
  // Throws InputError on an empty or repeated name.
  explicit Labels(std::vector<std::string> names);
  static Labels parse(std::string_view file, const std::string& name);  // one name a line
  std::string serialised() const;

  int64_t size() const { return static_cast<int64_t>(names_.size()); }
  std::optional<int32_t> id(std::string_view name) const;
  std::span<const std::string> names() const { return names_; }
  // Throws InputError where there is no such class.
  const std::string& name(int32_t id) const;

 private:
  std::vector<std::string> names_;
};

}  // namespace heed
