// Text on its way into a picture, a terminal or a page: whatever bytes a token holds, what comes out is valid
// UTF-8 without control characters, escaped for where it goes.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace heed::view {

// Valid UTF-8 with control characters, directional overrides and broken bytes replaced by U+FFFD.
std::string clean_text(std::string_view bytes);

// clean_text, with & < > " ' as entities: safe as text and as a quoted attribute, in XML and in HTML.
std::string escape_markup(std::string_view bytes);

// Columns a terminal gives the text: wide characters (CJK, emoji) two, combining marks none.
int display_width(std::string_view text);

// The text as units that stay together in a column: a character with its combining marks.
std::vector<std::string> clusters(std::string_view text);

// At most `columns` wide, the end replaced by an ellipsis (by "~" in ASCII) where something is cut.
std::string shorten(std::string_view text, int columns, bool unicode = true);

enum class Align { left, centre, right };
// Filled with spaces to `columns` display columns; a longer text is left as it is.
std::string pad(std::string_view text, int columns, Align align = Align::left);

// ASCII by transliteration (ICU): "Größe" -> "Grosse", "дом" -> "dom"; what has none becomes '?'.
std::string to_ascii(std::string_view text);

// Capital letters by the rules of Unicode.
std::string to_upper(std::string_view text);

// Words as a sentence: blanks between them, none before closing punctuation or after an opening bracket.
// Returns for each word whether a blank goes before it.
std::vector<bool> blanks_before(const std::vector<std::string>& words);

// A number for people: at most `digits` significant digits, thousands separated: 12,345  0.063  1.2e-05.
std::string pretty_number(double value, int digits = 4);

}  // namespace heed::view
