#include "heed/text/unicode.h"

#include <unicode/bytestream.h>
#include <unicode/casemap.h>
#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include <algorithm>

#include "heed/base/error.h"

namespace heed {

size_t utf8_length(char first) {
  const auto byte = static_cast<unsigned char>(first);
  return byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

std::vector<std::string_view> split_words(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  std::vector<std::string_view> words;
  for (size_t begin = text.find_first_not_of(kSpace); begin != text.npos;) {
    const size_t end = std::min(text.find_first_of(kSpace, begin), text.size());
    words.push_back(text.substr(begin, end - begin));
    begin = text.find_first_not_of(kSpace, end);
  }
  return words;
}

namespace {

icu::StringPiece piece_of(std::string_view text) {
  return {text.data(), static_cast<int32_t>(text.size())};
}

}  // namespace

std::string with_plain_blanks(std::string_view text) {
  std::string plain;
  for (size_t begin = 0; begin < text.size();) {
    UChar32 code = 0;
    int32_t at = 0;
    const std::string_view rest = text.substr(begin, 4);
    U8_NEXT(rest.data(), at, static_cast<int32_t>(rest.size()), code);
    if (u_isUWhiteSpace(code) != 0)
      plain += ' ';
    else
      plain += rest.substr(0, static_cast<size_t>(at));
    begin += static_cast<size_t>(at);
  }
  return plain;
}

bool is_word_character(std::string_view character) {
  UChar32 code = 0;
  int32_t at = 0;
  U8_NEXT(character.data(), at, static_cast<int32_t>(character.size()), code);
  if (code < 0) return false;
  constexpr uint32_t kMarks = U_GC_M_MASK;
  return u_isalnum(code) || (U_GET_GC_MASK(code) & kMarks) != 0;
}

std::string lowercase(std::string_view text) {
  std::string lower;
  icu::StringByteSink<std::string> sink(&lower);
  UErrorCode status = U_ZERO_ERROR;
  icu::CaseMap::utf8ToLower("", 0, piece_of(text), sink, nullptr, status);
  require(U_SUCCESS(status), "lowercase: ICU says {}", u_errorName(status));
  return lower;
}

std::string normalise(std::string_view text, NormalForm form) {
  if (form == NormalForm::kNone) return std::string(text);
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* normaliser = form == NormalForm::kNfc ? icu::Normalizer2::getNFCInstance(status)
                                                                : icu::Normalizer2::getNFKCInstance(status);
  require(U_SUCCESS(status), "normalise: ICU says {}", u_errorName(status));
  std::string normal;
  icu::StringByteSink<std::string> sink(&normal);
  normaliser->normalizeUTF8(0, piece_of(text), sink, nullptr, status);
  require(U_SUCCESS(status), "normalise: ICU says {}", u_errorName(status));
  return normal;
}

}  // namespace heed
