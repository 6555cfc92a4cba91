#include "heed/text/text_config.h"

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "heed/base/error.h"
#include "heed/base/text_util.h"

namespace heed {

TextKind TextConfig::kind_of_target() const {
  if (target_kind == TargetKind::kSame || target_kind == TargetKind::kLabel) return kind;
  return static_cast<TextKind>(static_cast<int>(target_kind) - 1);  // the names follow `same` in one order
}

namespace {

// Like <mask>: one word in a vocabulary's file and in SentencePiece's list of them.
bool can_be_reserved(const std::string& name) {
  if (name.size() < 3 || !name.starts_with('<') || !name.ends_with('>')) return false;
  const bool odd = std::any_of(name.begin(), name.end(),
                               [](unsigned char c) { return c <= ' ' || c == 0x7F || c == ',' || c == '"'; });
  return !odd && find_invalid_utf8(name) == std::string::npos && with_plain_blanks(name) == name;
}

// SentencePiece's pieces for bytes: <0x00> to <0xFF>.
bool is_byte_piece(std::string_view name) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  return name.size() == 6 && name.starts_with("<0x") && name.ends_with('>') &&
         name.substr(3, 2).find_first_not_of(kDigits) == name.npos;
}

}  // namespace

void TextConfig::check() const {
  for (size_t i = 0; i < reserved.size(); ++i) {
    const std::string& name = reserved[i];
    const std::string entry = fmt::format("text.reserved: entry {}, {},", i + 1, in_quotes(name));
    if (!can_be_reserved(name))
      fail_input("{} must look like <mask>, without spaces, commas, quotes and control characters", entry);
    if (name == "</s>" || name == "<unk>" || name == "<s>")
      fail_input("{} is reserved in every vocabulary; leave it out", entry);
    if (byte_fallback && is_byte_piece(name))
      fail_input("{} is the piece of a byte with text.byte_fallback; give it another name", entry);
    const auto first = std::find(reserved.begin(), reserved.end(), name) - reserved.begin();
    if (first < static_cast<std::ptrdiff_t>(i))
      fail_input("{} is entry {} as well; leave one of them out", entry, first + 1);
  }
}

}  // namespace heed
