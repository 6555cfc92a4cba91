// Text as Unicode: cutting and normalising UTF-8. Case and normal forms come from ICU.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace heed {

// The bytes of the character that begins with this byte of well-formed UTF-8: 1 to 4.
size_t utf8_length(char first);

// The words between ASCII white space; views into the text. No-break spaces do not separate words.
std::vector<std::string_view> split_words(std::string_view text);

// The text with a blank for each white space of Unicode: no-break and ideographic ones, tabs, line ends. The
// text must be well-formed UTF-8.
std::string with_plain_blanks(std::string_view text);

// Whether a character (one code point of well-formed UTF-8) is a letter, a digit or a mark on one.
bool is_word_character(std::string_view character);

// Lower case without a language's special rules (root locale). The text must be well-formed UTF-8.
std::string lowercase(std::string_view text);

enum class NormalForm { kNone, kNfc, kNfkc };

// The Unicode normal form (UAX 15). The text must be well-formed UTF-8.
std::string normalise(std::string_view text, NormalForm form);

}  // namespace heed
