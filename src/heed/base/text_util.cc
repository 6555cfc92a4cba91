#include "heed/base/text_util.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdint>
#include <utility>

namespace heed {

std::string in_quotes(std::string_view text, size_t limit) {
  size_t end = std::min(text.size(), limit);
  while (end > 0 && end < text.size() && (static_cast<uint8_t>(text[end]) & 0xC0) == 0x80) --end;
  const std::string_view shown = text.substr(0, end);
  const bool ascii_only = find_invalid_utf8(shown) != std::string_view::npos;
  std::string out = "\"";
  for (const char c : shown) {
    const auto byte = static_cast<uint8_t>(c);
    if (byte < 0x20 || byte == 0x7F || (ascii_only && byte >= 0x80)) {
      out += fmt::format("\\x{:02x}", byte);
    } else {
      out += c;
    }
  }
  return out + (end < text.size() ? "\"..." : "\"");
}

std::string joined(std::span<const std::string> words, std::string_view separator) {
  std::string out;
  for (const std::string& word : words) {
    if (&word != words.data()) out += separator;
    out += word;
  }
  return out;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (true) {
    const size_t end = text.find(separator);
    parts.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

size_t edit_distance(std::string_view a, std::string_view b) {
  // Three rows of the table: distances of prefixes of `a` with i - 2, i - 1 and i letters to those of `b`.
  std::vector<size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    before.swap(above);
    above.swap(row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j] + 1, row[j - 1] + 1, above[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

namespace {

std::string in_small_letters(std::string_view text) {
  std::string small(text);
  for (char& letter : small)
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  return small;
}

}  // namespace

std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates) {
  constexpr size_t kLongest = 100;  // no name is longer, and the time grows with the square
  if (word.size() > kLongest) return std::nullopt;
  std::optional<std::string> best;
  // First without regard to case, then with it.
  std::pair<size_t, size_t> least{(word.size() + 2) / 3 + 1, 0};
  for (const std::string& candidate : candidates) {
    if (candidate.size() > kLongest) continue;
    const std::pair distance{edit_distance(in_small_letters(word), in_small_letters(candidate)),
                             edit_distance(word, candidate)};
    if (distance < least) {
      least = distance;
      best = candidate;
    }
  }
  return best;
}

size_t find_invalid_utf8(std::string_view text) {
  // The lowest code point that needs this many continuation bytes.
  constexpr uint32_t kLowest[] = {0, 0x80, 0x800, 0x10000};
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<uint8_t>(text[i]);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    const size_t extra = lead >= 0xF0 ? 3 : lead >= 0xE0 ? 2 : 1;
    if (lead < 0xC2 || lead > 0xF4 || i + extra >= text.size()) return i;
    uint32_t code = lead & (0x3Fu >> extra);
    for (size_t k = 1; k <= extra; ++k) {
      const auto byte = static_cast<uint8_t>(text[i + k]);
      if ((byte & 0xC0) != 0x80) return i;
      code = (code << 6) | (byte & 0x3Fu);
    }
    if (code < kLowest[extra] || code > 0x10FFFF || (code >= 0xD800 && code <= 0xDFFF)) return i;
    i += extra + 1;
  }
  return std::string_view::npos;
}

}  // namespace heed
