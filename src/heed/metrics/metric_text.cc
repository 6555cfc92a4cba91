#include "heed/metrics/metric_text.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include "heed/base/error.h"
#include "heed/base/text_util.h"
#include "heed/text/unicode.h"

namespace heed {
namespace {

bool is_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0d) || (c >= 0x1c && c <= 0x20) || c == 0x85 || c == 0xa0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200a) || c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f ||
         c == 0x3000;
}
bool is_digit(char32_t c) {
  return c >= '0' && c <= '9';
}
bool is_dot_or_comma(char32_t c) {
  return c == '.' || c == ',';
}
bool is_dash(char32_t c) {
  return c == '-';
}
bool is_not_digit(char32_t c) {
  return !is_digit(c);
}
bool is_ascii_symbol(char32_t c) {
  return (c >= '{' && c <= '~') || (c >= '[' && c <= '`') || (c >= ' ' && c <= '&') ||
         (c >= '(' && c <= '+') || (c >= ':' && c <= '@') || c == '/';
}
bool is_punctuation(char32_t c) {
  return (U_GET_GC_MASK(static_cast<UChar32>(c)) & U_GC_P_MASK) != 0;
}
bool is_symbol(char32_t c) {
  return (U_GET_GC_MASK(static_cast<UChar32>(c)) & U_GC_S_MASK) != 0;
}
bool is_not_number(char32_t c) {
  return (U_GET_GC_MASK(static_cast<UChar32>(c)) & U_GC_N_MASK) == 0;
}

bool is_tercom_mark(char32_t c) {
  return std::u32string_view(U".,?:;!\"()").find(c) != std::u32string_view::npos;
}
bool is_asian_mark(char32_t c) {
  return c == 0x3001 || c == 0x3002 || (c >= 0x3008 && c <= 0x3011) || (c >= 0x3014 && c <= 0x301f) ||
         (c >= 0xff61 && c <= 0xff65) || c == 0x30fb || c == 0xff0e || c == 0xff0c || c == 0xff1f ||
         c == 0xff1a || c == 0xff1b || c == 0xff01 || c == 0xff02 || c == 0xff08 || c == 0xff09;
}
// Ideographs, their strokes, radicals and compatibility forms. sacreBLEU's block of enclosed letters runs to
// U+3F22. Its rules for kana need kana at the text's start, where it has put a space: they never apply.
bool is_ideograph(char32_t c) {
  return (c >= 0x4e00 && c <= 0x9fff) || (c >= 0x3200 && c <= 0x4dbf) || (c >= 0x31c0 && c <= 0x31ef) ||
         (c >= 0x2e80 && c <= 0x2eff) || (c >= 0xf900 && c <= 0xfaff) || (c >= 0xfe30 && c <= 0xfe4f);
}

using Property = bool (*)(char32_t);

// Spaces on both sides of every character that has the property.
std::u32string set_apart(std::u32string_view text, Property property) {
  std::u32string out;
  for (char32_t c : text) {
    if (property(c))
      out += {U' ', c, U' '};
    else
      out += c;
  }
  return out;
}

// Pairs of neighbours, from the left and without overlap, that have the two properties: a space between them
// and one on the side of the character that is cut off.
enum class CutOff { kFirst, kSecond };
std::u32string cut_pairs(std::u32string_view text, Property first, Property second, CutOff cut_off) {
  std::u32string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (i + 1 == text.size() || !first(text[i]) || !second(text[i + 1])) {
      out += text[i];
      continue;
    }
    if (cut_off == CutOff::kFirst)
      out += {U' ', text[i], U' ', text[i + 1]};
    else
      out += {text[i], U' ', text[i + 1], U' '};
    ++i;
  }
  return out;
}

void replace_all(std::u32string& text, std::u32string_view from, std::u32string_view to) {
  for (size_t at = text.find(from); at != text.npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

void strip_end(std::u32string& text) {
  while (!text.empty() && is_space(text.back())) text.pop_back();
}

// What mteval-v13a.pl and Tercom have in common: entities first, marks of punctuation after them.
void resolve_entities(std::u32string& text) {
  replace_all(text, U"&quot;", U"\"");
  replace_all(text, U"&amp;", U"&");
  replace_all(text, U"&lt;", U"<");
  replace_all(text, U"&gt;", U">");
}
std::u32string cut_off_dots_and_dashes(std::u32string_view text) {
  std::u32string out = cut_pairs(text, is_not_digit, is_dot_or_comma, CutOff::kSecond);
  out = cut_pairs(out, is_dot_or_comma, is_not_digit, CutOff::kFirst);
  return cut_pairs(out, is_digit, is_dash, CutOff::kSecond);
}

std::u32string tokenized_13a(std::u32string text) {
  replace_all(text, U"<skipped>", U"");
  replace_all(text, U"-\n", U"");
  replace_all(text, U"\n", U" ");
  resolve_entities(text);
  return cut_off_dots_and_dashes(set_apart(U' ' + text + U' ', is_ascii_symbol));
}

std::u32string tokenized_intl(std::u32string text) {
  text = cut_pairs(text, is_not_number, is_punctuation, CutOff::kSecond);
  text = cut_pairs(text, is_punctuation, is_not_number, CutOff::kFirst);
  return set_apart(text, is_symbol);
}

}  // namespace

const char* name_of(MetricTokenizer tokenizer) {
  constexpr const char* kNames[] = {"13a", "intl", "char", "none"};
  return kNames[static_cast<int>(tokenizer)];
}

std::u32string metric_text(std::string_view text, bool lower) {
  if (const size_t at = find_invalid_utf8(text); at != std::string_view::npos)
    fail_input("{} is not UTF-8 from byte {} on; convert the file to UTF-8", in_quotes(text), at + 1);
  const std::string cased = lower ? lowercase(text) : std::string(text);
  std::u32string out;
  for (size_t i = 0; i < cased.size();) {
    UChar32 c;
    U8_NEXT_UNSAFE(cased.data(), i, c);
    out += static_cast<char32_t>(c);
  }
  return out;
}

std::vector<std::u32string_view> metric_words(std::u32string_view text) {
  std::vector<std::u32string_view> words;
  for (size_t i = 0; i < text.size();) {
    size_t end = i;
    while (end < text.size() && !is_space(text[end])) ++end;
    if (end > i) words.push_back(text.substr(i, end - i));
    i = end + 1;
  }
  return words;
}

std::u32string metric_tokenized(std::u32string text, MetricTokenizer tokenizer) {
  strip_end(text);
  switch (tokenizer) {
    case MetricTokenizer::k13a:
      return tokenized_13a(std::move(text));
    case MetricTokenizer::kIntl:
      return tokenized_intl(std::move(text));
    case MetricTokenizer::kChar:
      return set_apart(text, [](char32_t) { return true; });
    case MetricTokenizer::kNone:
      break;
  }
  return text;
}

std::u32string tercom_tokenized(std::u32string text, const TercomOptions& options) {
  strip_end(text);  // before "'s" is sought at the end
  if (options.normalized) {
    replace_all(text, U"\n-", U"");
    replace_all(text, U"\n", U" ");
    resolve_entities(text);
    text = set_apart(U' ' + text + U' ', is_ascii_symbol);
    replace_all(text, U"'s ", U" 's ");
    text = cut_off_dots_and_dashes(text);
    if (options.asian) text = set_apart(set_apart(text, is_ideograph), is_asian_mark);
  }
  if (options.no_punctuation) {
    std::erase_if(text, is_tercom_mark);
    if (options.asian) std::erase_if(text, is_asian_mark);
  }
  std::u32string joined;
  for (const std::u32string_view word : metric_words(text)) {
    if (!joined.empty()) joined += U' ';
    joined += word;
  }
  return joined;
}

}  // namespace heed
