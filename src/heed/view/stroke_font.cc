#include "heed/view/stroke_font.h"

#include <unicode/normalizer2.h>
#include <unicode/unistr.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <map>
#include <string>

#include "heed/base/error.h"
#include "heed/view/stroke_glyphs.h"
#include "heed/view/text.h"

namespace heed::view {
namespace {

constexpr double kUnitsPerSize = 9.7;  // the text's size in units of the glyphs
constexpr double kSpacing = 1.75;      // between the bodies of two glyphs, pen included
constexpr double kBlank = 2.9;         // advance of a blank
constexpr double kCapitalRaise = 2.1;
constexpr int kArcStep = 15;  // degrees of arc a line

struct Glyph {
  std::vector<std::vector<Point>> lines;
  double left = 0, right = 0;
  double top = 0;
};

Glyph parse(const char* path) {
  Glyph glyph;
  const auto number = [&] {
    char* end;
    const double value = std::strtod(path, &end);
    path = end;
    return value;
  };
  while (*path != 0) {
    const char command = *path++;
    if (command == ' ') continue;
    if (command == 'm' || command == 'e') glyph.lines.emplace_back();
    if (command == 'm' || command == 'l') {
      const double x = number(), y = number();
      glyph.lines.back().push_back({x, y});
    } else {
      const double cx = number(), cy = number(), rx = number(), ry = number(), from = number(), to = number();
      const int steps = std::max(1, static_cast<int>(std::lround(std::abs(to - from) / kArcStep)));
      for (int i = 0; i <= steps; ++i) {
        const double angle = (from + (to - from) * i / steps) * 3.14159265358979323846 / 180;
        glyph.lines.back().push_back({cx + rx * std::cos(angle), cy + ry * std::sin(angle)});
      }
    }
  }
  glyph.left = 1e9, glyph.right = -1e9;
  for (const auto& line : glyph.lines)
    for (const Point& p : line) {
      glyph.left = std::min(glyph.left, p.x);
      glyph.right = std::max(glyph.right, p.x);
      glyph.top = std::max(glyph.top, p.y);
    }
  return glyph;
}

template <size_t n>
std::map<char32_t, Glyph> parse_all(const GlyphSource (&sources)[n]) {
  std::map<char32_t, Glyph> glyphs;
  for (const GlyphSource& source : sources) glyphs.emplace(source.character, parse(source.path));
  return glyphs;
}

const Glyph* find(const std::map<char32_t, Glyph>& glyphs, char32_t character) {
  const auto found = glyphs.find(character);
  return found == glyphs.end() ? nullptr : &found->second;
}

std::u32string decomposed(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* nfd = icu::Normalizer2::getNFDInstance(status);
  require(U_SUCCESS(status), "ICU cannot normalise text: is its data installed?");
  const icu::UnicodeString unicode = nfd->normalize(icu::UnicodeString::fromUTF8(std::string(text)), status);
  std::u32string out;
  for (int32_t i = 0; i < unicode.length(); i = unicode.moveIndex32(i, 1))
    out += static_cast<char32_t>(unicode.char32At(i));
  return out;
}

struct Pen {
  TextStrokes out;
  double x = 0;
  Point letter;  // middle and height of the last letter: where an accent goes

  void add(const Glyph& glyph, double dx, double dy) {
    for (const auto& line : glyph.lines) {
      out.lines.emplace_back();
      for (const Point& p : line)
        out.lines.back().push_back({(p.x + dx) / kUnitsPerSize, (p.y + dy) / kUnitsPerSize});
    }
  }
  void letter_glyph(const Glyph& glyph) {
    add(glyph, x - glyph.left, 0);
    letter = {x + (glyph.right - glyph.left) / 2, glyph.top};
    x += glyph.right - glyph.left + kSpacing;
  }
};

const std::map<char32_t, Glyph>& letters() {
  static const std::map<char32_t, Glyph> glyphs = parse_all(kGlyphs);
  return glyphs;
}

bool is_blank(char32_t character) {
  return character == U' ' || character == U'\u00a0';
}

}  // namespace

bool font_has(std::string_view text) {
  const std::vector<std::string> all = clusters(clean_text(text));
  return std::all_of(all.begin(), all.end(), [](const std::string& cluster) {
    if (display_width(cluster) == 0) return true;
    const char32_t base = decomposed(cluster)[0];
    return is_blank(base) || find(letters(), base) != nullptr;
  });
}

TextStrokes text_strokes(std::string_view text) {
  static const std::map<char32_t, Glyph> accents = parse_all(kAccents);
  Pen pen;
  for (const std::string& cluster : clusters(clean_text(text))) {
    const std::u32string characters = decomposed(cluster);
    if (characters.empty()) continue;
    if (is_blank(characters[0])) {
      pen.x += kBlank;
      continue;
    }
    // A dotted i loses its dot under an accent.
    const bool dotless = characters[0] == U'i' && characters.size() > 1 && find(accents, characters[1]);
    const Glyph* letter = find(letters(), dotless ? U'\u0131' : characters[0]);
    if (letter == nullptr) {
      for (const char c : to_ascii(cluster)) {
        const Glyph* glyph = find(letters(), static_cast<char32_t>(c == '?' ? 0xFFFD : c));
        if (glyph != nullptr) pen.letter_glyph(*glyph);
      }
      continue;
    }
    pen.letter_glyph(*letter);
    for (size_t i = 1; i < characters.size(); ++i) {
      const Glyph* accent = find(accents, characters[i]);
      const bool above = accent != nullptr && accent->top > 0.5;
      if (accent != nullptr) pen.add(*accent, pen.letter.x, above && pen.letter.y > 6 ? kCapitalRaise : 0);
    }
  }
  pen.out.width = std::max(0.0, pen.x - (pen.x > 0 ? kSpacing : 0)) / kUnitsPerSize;
  return std::move(pen.out);
}

double text_width(std::string_view text, double size, bool bold) {
  return text_strokes(text).width * size * (bold ? 1.16 : 1.08);  // browsers' fonts are wider than ours
}

}  // namespace heed::view
