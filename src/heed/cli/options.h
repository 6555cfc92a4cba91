// The options of a command, bound to a struct through the visitor that also reads configurations: one
// description gives the option, its check, its default and its help. A key "length_penalty" is the option
// --length-penalty; a bool is a flag (--json, and --no-json where the default is true); a list may be given
// several times, anything else once; a group is a heading in the help. Messages and checks are those of the
// configuration.
//
//   TranslateOptions options;  // visit(): v("input", input, "text to translate (- or nothing: standard
//   input)"); ... std::string model; OptionParser parser("heed translate", "Translates text, line by line.");
//   parser.positional("MODEL", model, "model folder").shorthand('i', "input").bind(options).parse(arguments);
#pragma once

#include <exception>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "heed/base/config_yaml.h"

namespace heed {

// Thrown by parse() when -h or --help is among the arguments.
class HelpRequested : public std::exception {
 public:
  HelpRequested(std::string text, std::string topic) : text_(std::move(text)), topic_(std::move(topic)) {}
  const char* what() const noexcept override { return text_.c_str(); }
  const std::string& text() const { return text_; }
  // The word after --help, as in `heed train --help model`; empty if there is none.
  const std::string& topic() const { return topic_; }

 private:
  std::string text_;
  std::string topic_;
};

// The name of an option out of a key, without its dashes before: the key's last part, "length-penalty".
std::string option_name(std::string_view key);

class OptionParser {
 public:
  // `command` is "heed translate"; the summary is a sentence.
  OptionParser(std::string command, std::string summary);

  // Positional arguments, in this order; those that must be there come first.
  OptionParser& positional(std::string name, std::string& value, std::string help, bool required = true);
  // Takes all arguments that are left; at least `least` of them. The last positional.
  OptionParser& positionals(std::string name, std::vector<std::string>& values, std::string help,
                            size_t least = 1);
  // The one-letter form of a bound key: -i for --input.
  OptionParser& shorthand(char letter, const std::string& key);
  // The bound key or the positional takes an empty text. Any other refuses it: what is empty is a variable
  // that a script forgot to set, and names no file.
  OptionParser& may_be_empty(const std::string& name);
  // Text at the end of the help: examples, what to read next.
  OptionParser& footer(std::string text);

  // Every key of the struct becomes an option. The struct must live until parse() has returned.
  template <class Config>
  OptionParser& bind(Config& config) {
    visits_.emplace_back([&config](ConfigVisitor& visitor) { config.visit(visitor); });
    return *this;
  }

  // Sets what the arguments (without program and command) say, or throws InputError (wrong input) or
  // HelpRequested.
  void parse(std::span<const std::string> arguments);

  // Whether the arguments had this key or the positional of this name.
  bool given(const std::string& key) const;

  std::string help() const;

 private:
  struct Positional {
    std::string name;
    std::string help;
    size_t least;
    std::string* value;  // one of the two is set
    std::vector<std::string>* values;
  };

  std::string usage() const;
  [[noreturn]] void fail_unknown(const std::string& argument) const;
  bool is_refused(const std::string& name, std::string_view value) const;
  void check_values(std::span<const std::string> arguments) const;
  void assign_positionals(std::span<const std::string> arguments);

  std::string command_;
  std::string summary_;
  std::string footer_;
  std::vector<Positional> positionals_;
  std::vector<std::pair<char, std::string>> shorthands_;  // letter and option without dashes
  std::vector<std::string> may_be_empty_;                 // options without dashes, and positionals
  std::vector<VisitConfig> visits_;
  std::map<std::string, std::vector<std::string>> given_;  // option or positional to its texts
};

}  // namespace heed
