#include "heed/text/text_config.h"

#include "heed/base/error.h"
#include "heed/base/text_util.h"

namespace heed {

TextKind TextConfig::kind_of_target() const {
  if (target_kind == TargetKind::kSame || target_kind == TargetKind::kLabel) return kind;
  return static_cast<TextKind>(static_cast<int>(target_kind) - 1);  // the names follow `same` in one order
}

void TextConfig::check() const {
  for (const std::string& name : reserved)
    if (name.size() < 3 || !name.starts_with('<') || !name.ends_with('>') ||
        name.find_first_of(" ,\t\n\"") != name.npos)
      fail_input("text.reserved: {} must look like <mask>, without spaces, commas and quotes",
                 in_quotes(name));
}

}  // namespace heed
