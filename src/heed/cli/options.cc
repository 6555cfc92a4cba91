#include "heed/cli/options.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <map>
#include <memory>

#include "heed/base/config_keys.h"
#include "heed/base/config_value.h"
#include "heed/base/error.h"
#include "heed/base/text_util.h"

namespace heed {

std::string option_name(std::string_view key) {
  std::string name(key.substr(key.rfind('.') + 1));
  std::replace(name.begin(), name.end(), '_', '-');
  return name;
}

namespace {

using Given = std::map<std::string, std::vector<std::string>>;

// Sets the fields whose options were given.
class Assigner : public ConfigVisitor {
 public:
  explicit Assigner(const Given& given) : given_(given) {}

 protected:
  void on_bool(std::string_view key, bool& value, std::string_view) override {
    if (const auto* text = text_of(key)) value = parse_bool(subject(key), *text);
  }
  void on_integer(std::string_view key, int64_t& value, std::string_view, Range range) override {
    if (const auto* text = text_of(key)) value = parse_integer(subject(key), *text, range);
  }
  void on_number(std::string_view key, double& value, std::string_view, Range range) override {
    if (const auto* text = text_of(key)) value = parse_number(subject(key), *text, range);
  }
  void on_string(std::string_view key, std::string& value, std::string_view) override {
    if (const auto* text = text_of(key)) value = *text;
  }
  void on_list(std::string_view key, std::vector<std::string>& value, std::string_view) override {
    if (const auto found = given_.find(option_name(key)); found != given_.end()) value = found->second;
  }
  void on_choice(std::string_view key, int& index, std::span<const std::string_view> names,
                 std::string_view) override {
    if (const auto* text = text_of(key)) index = parse_choice(subject(key), *text, names);
  }
  bool begin_group(std::string_view, std::string_view) override { return true; }
  void end_group() override {}

 private:
  static std::string subject(std::string_view key) { return "--" + option_name(key); }

  // The text of an option that takes one; nullptr where it was not given.
  const std::string* text_of(std::string_view key) const {
    const auto found = given_.find(option_name(key));
    if (found == given_.end()) return nullptr;
    std::vector<std::string> quoted;
    for (const std::string& text : found->second) quoted.push_back(in_quotes(text));
    if (quoted.size() > 1)
      fail_input("{}: found {}, expected one value", subject(key), joined(quoted, " and "));
    return &found->second.front();
  }

  const Given& given_;
};

// As "--beam" and "-b" do; "-", "-5" and "- a text" are values.
bool looks_like_option(std::string_view argument) {
  return argument.starts_with("--") ||
         (argument.size() > 1 && argument[0] == '-' && std::isalpha(static_cast<unsigned char>(argument[1])));
}

// What stands for the value in the help: N, X, TEXT, or the choices.
std::string value_words(const ConfigKey& key) {
  if (key.type == "whole number") return " N";
  if (key.type == "number") return " X";
  if (key.type == "choice") {
    std::string names = key.allowed;
    for (size_t bar = names.find(" | "); bar != std::string::npos; bar = names.find(" | "))
      names.replace(bar, 3, "|");
    return " " + names;
  }
  return key.type == "true or false" ? "" : " TEXT";
}

// "(default 5)", with the range; empty where there is nothing to say.
std::string default_words(const ConfigKey& key) {
  std::vector<std::string> parts;
  if (key.type == "list") parts.emplace_back("may be given several times");
  if (!key.allowed.empty() && key.type != "choice") parts.push_back(key.type + key.allowed);
  const bool empty = key.value == "\"\"" || key.value == "[]" || key.value == "false";
  if (!empty) parts.push_back("default " + (key.value == "true" ? "yes" : key.value));
  return parts.empty() ? "" : fmt::format(" ({})", joined(parts, "; "));
}

std::string two_columns(const std::vector<std::pair<std::string, std::string>>& lines) {
  constexpr size_t kWidest = 30;
  size_t width = 0;
  for (const auto& [left, right] : lines)
    if (left.size() <= kWidest) width = std::max(width, left.size());
  std::string out;
  for (const auto& [left, right] : lines) {
    out += fmt::format("  {:{}}", left, width);
    out += left.size() <= width ? "  " : fmt::format("\n  {:{}}  ", "", width);
    out += right + "\n";
  }
  return out;
}

}  // namespace

OptionParser::OptionParser(std::string command, std::string summary)
    : command_(std::move(command)), summary_(std::move(summary)) {}

OptionParser& OptionParser::positional(std::string name, std::string& value, std::string help,
                                       bool required) {
  positionals_.push_back(
      {std::move(name), std::move(help), required ? size_t{1} : size_t{0}, &value, nullptr});
  return *this;
}

OptionParser& OptionParser::positionals(std::string name, std::vector<std::string>& values, std::string help,
                                        size_t least) {
  positionals_.push_back({std::move(name), std::move(help), least, nullptr, &values});
  return *this;
}

OptionParser& OptionParser::shorthand(char letter, const std::string& key) {
  shorthands_.emplace_back(letter, option_name(key));
  return *this;
}

OptionParser& OptionParser::may_be_empty(const std::string& name) {
  may_be_empty_.push_back(option_name(name));
  return *this;
}

OptionParser& OptionParser::footer(std::string text) {
  footer_ = std::move(text);
  return *this;
}

void OptionParser::parse(std::span<const std::string> arguments) {
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  given_.clear();
  for (const VisitConfig& visit : visits_) {
    for (const ConfigKey& key : list_keys(visit)) {
      if (key.type == "group") continue;
      const std::string name = option_name(key.path);
      std::string names = "--" + name;
      for (const auto& [letter, option] : shorthands_)
        if (option == name) names += fmt::format(",-{}", letter);
      if (key.type == "true or false") {
        const auto set = [this, name](const std::string& text) { given_[name] = {text}; };
        app.add_flag_callback(names, [set] { set("true"); })->disable_flag_override();
        app.add_flag_callback("--no-" + name, [set] { set("false"); })->disable_flag_override();
      } else {
        app.add_option_function<std::vector<std::string>>(
               names, [this, name](const std::vector<std::string>& texts) { given_[name] = texts; })
            ->type_size(1)
            ->expected(1)
            ->allow_extra_args(false)
            ->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
      }
    }
  }
  for (size_t i = 0; i < arguments.size() && arguments[i] != "--"; ++i) {
    if (arguments[i] != "-h" && arguments[i] != "--help") continue;
    const bool has_topic = i + 1 < arguments.size() && !arguments[i + 1].starts_with('-');
    throw HelpRequested(help(), has_topic ? arguments[i + 1] : "");
  }
  check_values(arguments);
  try {
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    fail_input("{}: {} ({} --help lists the options)", command_, error.what(), command_);
  }
  bool only_positionals = false;
  std::vector<std::string> left;
  for (const std::string& argument : app.remaining()) {
    if (!only_positionals && argument == "--") {
      only_positionals = true;
    } else if (!only_positionals && argument.size() > 1 && argument[0] == '-') {
      fail_unknown(argument);
    } else {
      left.push_back(argument);
    }
  }
  assign_positionals(left);
  Assigner assigner(given_);
  for (const VisitConfig& visit : visits_) visit(assigner);
}

bool OptionParser::given(const std::string& key) const {
  return given_.contains(option_name(key));
}

bool OptionParser::is_refused(const std::string& name, std::string_view value) const {
  return value.empty() && std::find(may_be_empty_.begin(), may_be_empty_.end(), name) == may_be_empty_.end();
}

// CLI11 would take whatever comes next for a missing value, the next option too.
void OptionParser::check_values(std::span<const std::string> arguments) const {
  std::map<std::string, std::string> options;  // "--beam" and "-b": what takes a value
  for (const VisitConfig& visit : visits_)
    for (const ConfigKey& key : list_keys(visit))
      if (key.type != "group" && key.type != "true or false")
        options.emplace("--" + option_name(key.path), "--" + option_name(key.path));
  for (const auto& [letter, option] : shorthands_)
    if (options.contains("--" + option)) options.emplace(fmt::format("-{}", letter), "--" + option);
  for (size_t i = 0; i < arguments.size() && arguments[i] != "--"; ++i) {
    const size_t equals = arguments[i].find('=');
    const auto option = options.find(arguments[i].substr(0, equals));
    if (option == options.end()) continue;
    const bool missing = equals == std::string::npos ? ++i == arguments.size()  // the value is the next one
                                                     : equals + 1 == arguments[i].size();
    if (missing || (equals == std::string::npos && is_refused(option->second.substr(2), arguments[i])))
      fail_input("{}: {} needs a value", command_, option->second);
    if (equals == 2)  // CLI11 would read "-o=x" as the value "=x"
      fail_input("{0}: found {1}; write {2} {3} or {4}={3}", command_, arguments[i], option->first,
                 arguments[i].substr(3), option->second);
    if (equals == std::string::npos && looks_like_option(arguments[i]))
      fail_input("{0}: {1} needs a value; one that begins with a dash is given as {1}={2}", command_,
                 option->second, arguments[i]);
  }
}

void OptionParser::assign_positionals(std::span<const std::string> arguments) {
  for (const Positional& positional : positionals_) {
    if (arguments.size() < positional.least)
      fail_input("{}: {} is missing ({}). Usage: {}", command_, positional.name, positional.help, usage());
    const auto taken = positional.values != nullptr ? arguments : arguments.first(arguments.empty() ? 0 : 1);
    arguments = arguments.subspan(taken.size());
    for (const std::string& argument : taken)
      if (is_refused(positional.name, argument))
        fail_input("{}: {} is empty ({}). Usage: {}", command_, positional.name, positional.help, usage());
    if (!taken.empty()) given_[positional.name] = {taken.begin(), taken.end()};
    if (positional.values != nullptr)
      positional.values->assign(taken.begin(), taken.end());
    else if (!taken.empty())
      *positional.value = taken.front();
  }
  if (!arguments.empty())
    fail_input("{}: {} is one argument too many. Usage: {}", command_, in_quotes(arguments.front()), usage());
}

void OptionParser::fail_unknown(const std::string& argument) const {
  const std::string name = argument.substr(0, argument.find('='));
  std::vector<std::string> known = {"--help"};
  for (const VisitConfig& visit : visits_)
    for (const ConfigKey& key : list_keys(visit))
      if (key.type != "group") known.push_back("--" + option_name(key.path));
  const auto meant = nearest(name, known);
  std::string hint;
  if (meant) {
    hint = fmt::format(" Did you mean {}?", *meant);
  } else if (name.find(' ') != name.npos) {
    hint = " A text that begins with a dash goes after --, which ends the options.";
  }
  fail_input("{}: unknown option {}.{} ({} --help lists them)", command_, name, hint, command_);
}

std::string OptionParser::usage() const {
  std::string out = command_;
  for (const Positional& positional : positionals_) {
    const std::string dots = positional.values != nullptr ? "..." : "";
    out += positional.least > 0 ? fmt::format(" {}{}", positional.name, dots)
                                : fmt::format(" [{}{}]", positional.name, dots);
  }
  return out + " [options]";
}

std::string OptionParser::help() const {
  std::string out = fmt::format("{}\n\nUsage: {}\n", summary_, usage());
  std::vector<std::pair<std::string, std::string>> lines;
  for (const Positional& positional : positionals_) lines.emplace_back(positional.name, positional.help);
  if (!lines.empty()) out += "\n" + two_columns(lines);

  lines.clear();
  std::string heading = "Options";
  const auto flush = [&] {
    if (!lines.empty()) out += fmt::format("\n{}:\n{}", heading, two_columns(lines));
    lines.clear();
  };
  for (const VisitConfig& visit : visits_) {
    for (const ConfigKey& key : list_keys(visit)) {
      if (key.type == "group") {
        flush();
        heading = key.help;
        continue;
      }
      const std::string name = option_name(key.path);
      std::string left;
      for (const auto& [letter, option] : shorthands_)
        if (option == name) left += fmt::format("-{}, ", letter);
      const std::string no = key.type == "true or false" && key.value == "true" ? "[no-]" : "";
      lines.emplace_back(fmt::format("{}--{}{}{}", left, no, name, value_words(key)),
                         key.help + default_words(key));
    }
  }
  flush();
  out += "\n" + two_columns({{"-h, --help", "this text"}});
  if (!footer_.empty()) out += "\n" + footer_ + "\n";
  return out;
}

}  // namespace heed
