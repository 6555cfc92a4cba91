#include "heed/text/vocabulary.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "heed/base/error.h"
#include "heed/base/text_util.h"
#include "heed/text/line_reader.h"

namespace heed {
namespace {

// Exactly what stands between the line feeds: a carriage return is part of a word here.
std::vector<std::string> words_of_file(std::string_view file, const std::string& name) {
  std::vector<std::string> words;
  while (!file.empty()) {
    const size_t end = std::min(file.find('\n'), file.size());
    const std::string_view word = file.substr(0, end);
    const auto number = static_cast<int64_t>(words.size()) + 1;
    check_line(word, name, number);
    if (word.empty()) fail_input("{}:{}: an empty line; one word a line is expected", name, number);
    words.emplace_back(word);
    file.remove_prefix(std::min(end + 1, file.size()));
  }
  return words;
}

std::string joined_lines(const std::vector<std::string>& lines) {
  std::string file;
  for (const std::string& line : lines) file.append(line).push_back('\n');
  return file;
}

std::vector<std::string> with_standard(std::vector<std::string> reserved) {
  reserved.insert(reserved.begin(), {"</s>", "<unk>", "<s>"});
  return reserved;
}

}  // namespace

Vocabulary::Vocabulary(std::vector<std::string> reserved, std::vector<std::string> words)
    : words_(with_standard(std::move(reserved))), reserved_(static_cast<int32_t>(words_.size())) {
  require(words.size() < std::numeric_limits<int32_t>::max() - words_.size(),
          "vocabulary: {} words are too many", words.size());
  words_.insert(words_.end(), std::make_move_iterator(words.begin()), std::make_move_iterator(words.end()));
  ids_.reserve(words_.size());
  for (size_t i = 0; i < words_.size(); ++i) {
    if (words_[i].empty()) fail_input("vocabulary: word {} is empty", i);
    if (!ids_.emplace(words_[i], static_cast<int32_t>(i)).second)
      fail_input("vocabulary: {} occurs twice (words {} and {})", in_quotes(words_[i]), ids_[words_[i]], i);
  }
}

Vocabulary Vocabulary::from_counts(const WordCounts& counts, int64_t minimum_count, int64_t largest,
                                   std::vector<std::string> reserved) {
  const Vocabulary none(reserved, {});
  std::vector<std::pair<std::string_view, int64_t>> sorted;
  for (const auto& [word, count] : counts)
    if (count >= minimum_count && !none.ids_.contains(word)) sorted.emplace_back(word, count);
  std::sort(sorted.begin(), sorted.end(), [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  });
  if (largest > 0) {
    if (largest <= none.size())
      fail_input("a vocabulary of {} words has no room beside its {} reserved ones", largest, none.size());
    sorted.resize(std::min(sorted.size(), static_cast<size_t>(largest - none.size())));
  }
  std::vector<std::string> words;
  words.reserve(sorted.size());
  for (const auto& [word, count] : sorted) words.emplace_back(word);
  return Vocabulary(std::move(reserved), std::move(words));
}

Vocabulary Vocabulary::parse(std::string_view file, const std::string& name,
                             std::vector<std::string> reserved) {
  std::vector<std::string> words = words_of_file(file, name);
  const std::vector<std::string> expected = with_standard(reserved);
  for (size_t i = 0; i < expected.size(); ++i)
    if (i >= words.size() || words[i] != expected[i])
      fail_input("{}:{}: {} found where the reserved word {} is expected; this is no vocabulary of heed",
                 name, i + 1, i < words.size() ? in_quotes(words[i]) : "end of file", in_quotes(expected[i]));
  StringMap<size_t> seen;
  for (size_t i = 0; i < words.size(); ++i)
    if (const auto [first, is_new] = seen.emplace(words[i], i); !is_new)
      fail_input("{}:{}: {} occurs a second time, first on line {}", name, i + 1, in_quotes(words[i]),
                 first->second + 1);
  words.erase(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(expected.size()));
  return Vocabulary(std::move(reserved), std::move(words));
}

std::string Vocabulary::serialised() const {
  return joined_lines(words_);
}

int32_t Vocabulary::id(std::string_view word) const {
  const auto found = ids_.find(word);
  return found == ids_.end() || is_reserved(found->second) ? kUnknown : found->second;
}

const std::string& Vocabulary::word(int32_t id) const {
  if (id < 0 || id >= size()) fail_input("token id {} is outside the vocabulary of {} words", id, size());
  return words_[id];
}

std::optional<int32_t> Vocabulary::reserved_id(std::string_view name) const {
  const auto found = ids_.find(name);
  if (found == ids_.end() || !is_reserved(found->second)) return std::nullopt;
  return found->second;
}

SameWords same_words(const Vocabulary& words, const Vocabulary& other) {
  SameWords same;
  std::string missing;
  for (int32_t id = 0; id < words.size(); ++id) {
    const std::string& word = words.word(id);
    same.ids.push_back(words.is_reserved(id) ? other.reserved_id(word).value_or(Vocabulary::kUnknown)
                                             : other.id(word));
    if (missing.empty() && id != Vocabulary::kUnknown && same.ids.back() == Vocabulary::kUnknown)
      missing = "it lacks " + in_quotes(word);
  }
  if (words.size() != other.size())
    same.difference =
        fmt::format("{}, not {}{}{}", other.size(), words.size(), missing.empty() ? "" : "; ", missing);
  else
    same.difference = missing;
  return same;
}

std::vector<int32_t> renumbered(std::span<const int32_t> tokens, std::span<const int32_t> ids) {
  std::vector<int32_t> others;
  for (const int32_t token : tokens) {
    if (token < 0 || token >= static_cast<int64_t>(ids.size()))
      fail_input("token id {} is outside the vocabulary of {} words", token, ids.size());
    others.push_back(ids[static_cast<size_t>(token)]);
  }
  return others;
}

Labels::Labels(std::vector<std::string> names) : names_(std::move(names)) {
  std::sort(names_.begin(), names_.end());
  const auto twice = std::adjacent_find(names_.begin(), names_.end());
  if (twice != names_.end()) fail_input("labels: {} occurs twice", in_quotes(*twice));
  if (!names_.empty() && names_.front().empty()) fail_input("labels: a name is empty");
}

Labels Labels::parse(std::string_view file, const std::string& name) {
  std::vector<std::string> names = words_of_file(file, name);
  for (size_t i = 1; i < names.size(); ++i)
    if (!(names[i - 1] < names[i]))
      fail_input(
          "{}:{}: {} stands after {}; the line is the class, and they stand in the order of their bytes, "
          "each once",
          name, i + 1, in_quotes(names[i]), in_quotes(names[i - 1]));
  return Labels(std::move(names));
}

std::string Labels::serialised() const {
  return joined_lines(names_);
}

std::optional<int32_t> Labels::id(std::string_view name) const {
  const auto found = std::lower_bound(names_.begin(), names_.end(), name);
  if (found == names_.end() || *found != name) return std::nullopt;
  return static_cast<int32_t>(found - names_.begin());
}

const std::string& Labels::name(int32_t id) const {
  if (id < 0 || id >= size()) fail_input("class {} is outside the {} classes", id, size());
  return names_[id];
}

}  // namespace heed
