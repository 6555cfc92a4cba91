#include "heed/base/config_value.h"

#include <fmt/core.h>

#include <charconv>
#include <cmath>
#include <system_error>
#include <vector>

#include "heed/base/error.h"
#include "heed/base/text_util.h"

namespace heed {
namespace {

template <class Number>
bool parse(std::string_view text, Number& value) {
  if (text.size() > 1 && text[0] == '+' && text[1] != '-') text.remove_prefix(1);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size();
}

bool inside(double value, Range range) {
  return value >= range.lowest && value <= range.highest;
}

}  // namespace

std::string number_text(double value) {
  if (std::isinf(value)) return value > 0 ? ".inf" : "-.inf";
  return fmt::format("{}", value);
}

std::string range_words(Range range) {
  const bool below = std::isfinite(range.lowest);
  const bool above = std::isfinite(range.highest);
  if (below && above) return fmt::format(" between {} and {}", range.lowest, range.highest);
  if (below) return fmt::format(" of at least {}", range.lowest);
  if (above) return fmt::format(" of at most {}", range.highest);
  return "";
}

bool parse_bool(std::string_view subject, std::string_view text) {
  if (text == "true") return true;
  if (text == "false") return false;
  fail_input("{}: found {}, expected true or false", subject, in_quotes(text));
}

int64_t parse_integer(std::string_view subject, std::string_view text, Range range) {
  int64_t value = 0;
  if (!parse(text, value) || !inside(static_cast<double>(value), range))
    fail_input("{}: found {}, expected a whole number{}", subject, in_quotes(text), range_words(range));
  return value;
}

double parse_number(std::string_view subject, std::string_view text, Range range) {
  double value = 0;
  if (text == ".inf" || text == "-.inf") {
    value = text[0] == '-' ? -INFINITY : INFINITY;
  } else if (!parse(text, value)) {
    value = NAN;
  }
  if (!inside(value, range))  // NaN never is
    fail_input("{}: found {}, expected a number{}", subject, in_quotes(text), range_words(range));
  return value;
}

int parse_choice(std::string_view subject, std::string_view text, std::span<const std::string_view> names) {
  for (size_t i = 0; i < names.size(); ++i)
    if (names[i] == text) return static_cast<int>(i);
  const std::vector<std::string> words(names.begin(), names.end());
  const auto meant = nearest(text, words);
  fail_input("{}: found {}, expected one of {}.{}", subject, in_quotes(text), joined(words),
             meant ? fmt::format(" Did you mean {}?", *meant) : "");
}

}  // namespace heed
