#include "heed/view/text.h"

#include <fmt/core.h>
#include <unicode/locid.h>
#include <unicode/translit.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include <cmath>
#include <memory>

#include "heed/base/error.h"

namespace heed::view {
namespace {

constexpr UChar32 kReplacement = 0xFFFD;

bool is_forbidden(UChar32 c) {
  if (c < 0 || c == 0xFFFE || c == 0xFFFF || u_charType(c) == U_CONTROL_CHAR) return true;
  return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);  // would reorder the text around them
}

template <class Visit>
void for_each_character(std::string_view text, Visit visit) {
  const int32_t length = static_cast<int32_t>(text.size());
  for (int32_t i = 0; i < length;) {
    UChar32 c;
    const int32_t begin = i;
    U8_NEXT(reinterpret_cast<const uint8_t*>(text.data()), i, length, c);
    visit(c, text.substr(begin, i - begin));
  }
}

void append_utf8(std::string& out, UChar32 c) {
  uint8_t buffer[4];
  int32_t size = 0;
  U8_APPEND_UNSAFE(buffer, size, c);
  out.append(reinterpret_cast<const char*>(buffer), size);
}

int character_width(UChar32 c) {
  if (c < 0) return 1;
  const auto type = u_charType(c);
  if (type == U_NON_SPACING_MARK || type == U_ENCLOSING_MARK || (type == U_FORMAT_CHAR && c != 0xAD))
    return 0;
  if (c >= 0x1160 && c <= 0x11FF) return 0;  // medial and final Hangul letters join the first
  const int width = u_getIntPropertyValue(c, UCHAR_EAST_ASIAN_WIDTH);
  return width == U_EA_WIDE || width == U_EA_FULLWIDTH ? 2 : 1;
}

std::string from_icu(const icu::UnicodeString& text) {
  std::string out;
  text.toUTF8String(out);
  return out;
}

}  // namespace

std::string clean_text(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size());
  for_each_character(bytes, [&](UChar32 c, std::string_view) {
    append_utf8(out, c == '\t' || c == '\n' ? ' ' : is_forbidden(c) ? kReplacement : c);
  });
  return out;
}

std::string escape_markup(std::string_view bytes) {
  std::string out;
  for (const char c : clean_text(bytes)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::vector<std::string> clusters(std::string_view text) {
  std::vector<std::string> out;
  bool joined = false;  // after a zero-width joiner: the next character belongs to this one
  for_each_character(text, [&](UChar32 c, std::string_view bytes) {
    if (out.empty() || (character_width(c) > 0 && !joined))
      out.emplace_back(bytes);
    else
      out.back() += bytes;
    joined = c == 0x200D;
  });
  return out;
}

int display_width(std::string_view text) {
  int width = 0;
  bool joined = false;
  for_each_character(text, [&](UChar32 c, std::string_view) {
    if (!joined) width += character_width(c);
    joined = c == 0x200D;
  });
  return width;
}

std::string shorten(std::string_view text, int columns, bool unicode) {
  if (display_width(text) <= columns) return std::string(text);
  std::string out;
  int width = 0;
  for (const std::string& cluster : clusters(text)) {
    width += display_width(cluster);
    if (width > columns - 1) break;
    out += cluster;
  }
  return columns > 0 ? out + (unicode ? "…" : "~") : "";
}

std::string pad(std::string_view text, int columns, Align align) {
  const int space = std::max(0, columns - display_width(text));
  const int before = align == Align::left ? 0 : align == Align::right ? space : space / 2;
  return std::string(before, ' ').append(text).append(space - before, ' ');
}

std::string to_ascii(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  static const std::unique_ptr<icu::Transliterator> transliterator(
      icu::Transliterator::createInstance("Any-Latin; Latin-ASCII", UTRANS_FORWARD, status));
  require(transliterator != nullptr, "ICU has no transliterator to Latin: is its data installed?");
  const std::string clean = clean_text(text);
  icu::UnicodeString unicode = icu::UnicodeString::fromUTF8(clean);
  transliterator->transliterate(unicode);
  std::string out;
  for_each_character(from_icu(unicode), [&](UChar32 c, std::string_view) {
    if (c >= ' ' && c < 127)
      out += static_cast<char>(c);
    else if (character_width(c) > 0)
      out += '?';
  });
  return out;
}

std::string to_upper(std::string_view text) {
  icu::UnicodeString unicode = icu::UnicodeString::fromUTF8(std::string(text));
  return from_icu(unicode.toUpper(icu::Locale::getRoot()));
}

std::vector<bool> blanks_before(const std::vector<std::string>& words) {
  static const std::string_view kClosing[] = {".", ",", "!", "?", ";", ":", ")",
                                              "]", "}", "…", "»", "”", "%"};
  std::vector<bool> blanks(words.size(), false);
  for (size_t i = 1; i < words.size(); ++i) {
    bool closing = false;
    for (const std::string_view mark : kClosing) closing |= words[i] == mark;
    const std::string& last = words[i - 1];
    blanks[i] = !closing && last != "(" && last != "[" && last != "«" && last != "„";
  }
  return blanks;
}

std::string pretty_number(double value, int digits) {
  if (std::isnan(value)) return "–";
  const double size = std::abs(value);
  if (!std::isfinite(value) || (size > 0 && (size < 1e-4 || size >= 1e9)))
    return fmt::format("{:.{}g}", value, digits);
  const int whole = size < 1 ? 0 : static_cast<int>(std::floor(std::log10(size))) + 1;
  const int leading = size > 0 && size < 1 ? static_cast<int>(-std::floor(std::log10(size))) - 1 : 0;
  const int decimals = std::max(0, digits - whole + leading);
  std::string text = fmt::format("{:.{}f}", value, decimals);
  if (text.find('.') != std::string::npos) {
    text.erase(text.find_last_not_of('0') + 1);
    if (text.back() == '.') text.pop_back();
  }
  if (text == "-0") text = "0";
  const size_t first = text[0] == '-' ? 1 : 0;
  for (size_t end = std::min(text.find('.'), text.size()); end > first + 3; end -= 3)
    text.insert(end - 3, ",");
  return text;
}

}  // namespace heed::view
