// One value of a configuration as text: the same words, checks and messages for a YAML file, --set and an
// option of the command line. `subject` begins the message: "my.yaml:12: model.width" or "--beam".
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "heed/base/config.h"

namespace heed {

bool parse_bool(std::string_view subject, std::string_view text);
int64_t parse_integer(std::string_view subject, std::string_view text, Range range);
double parse_number(std::string_view subject, std::string_view text, Range range);
int parse_choice(std::string_view subject, std::string_view text, std::span<const std::string_view> names);

// The shortest text that parse_number() reads as the same number.
std::string number_text(double value);

// " of at least 1", " between 0 and 1"; empty without bounds.
std::string range_words(Range range);

}  // namespace heed
