// Small services for messages: showing what was found, finding the nearest name, checking UTF-8.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace heed {

// The text in double quotes for a message: control characters escaped, at most `limit` bytes of it.
std::string in_quotes(std::string_view text, size_t limit = 60);

// "a, b, c".
std::string joined(std::span<const std::string> words, std::string_view separator = ", ");

// The parts between the separators; one empty part for an empty text.
std::vector<std::string> split(std::string_view text, char separator);

// How many letters must be changed, added, removed or swapped with their neighbour to make `b` out of `a`
// (restricted Damerau-Levenshtein distance).
size_t edit_distance(std::string_view a, std::string_view b);

// The candidate nearest to the word, whatever the case of ASCII letters; the first of equals; nothing if none
// is near enough to be meant.
std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates);

// The offset of the first byte that is not valid UTF-8 (overlong forms and surrogates are not), or npos.
size_t find_invalid_utf8(std::string_view text);

}  // namespace heed
