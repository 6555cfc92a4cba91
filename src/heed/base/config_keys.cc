#include "heed/base/config_keys.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>
#include <utility>

#include "heed/base/config_tree.h"
#include "heed/base/config_value.h"
#include "heed/base/error.h"
#include "heed/base/text_util.h"

namespace heed {
namespace {

class KeyLister : public ConfigVisitor {
 public:
  std::vector<ConfigKey> take() { return std::move(keys_); }

 protected:
  void on_bool(std::string_view key, bool& value, std::string_view help) override {
    add(key, "true or false", value ? "true" : "false", "", help);
  }
  void on_integer(std::string_view key, int64_t& value, std::string_view help, Range range) override {
    add(key, "whole number", fmt::format("{}", value), range_words(range), help);
  }
  void on_number(std::string_view key, double& value, std::string_view help, Range range) override {
    add(key, "number", number_text(value), range_words(range), help);
  }
  void on_string(std::string_view key, std::string& value, std::string_view help) override {
    add(key, "text", yaml_text(value), "", help);
  }
  void on_list(std::string_view key, std::vector<std::string>& value, std::string_view help) override {
    std::vector<std::string> texts;
    std::transform(value.begin(), value.end(), std::back_inserter(texts), yaml_text);
    add(key, "list", fmt::format("[{}]", joined(texts)), "", help);
  }
  void on_choice(std::string_view key, int& index, std::span<const std::string_view> names,
                 std::string_view help) override {
    const std::vector<std::string> words(names.begin(), names.end());
    add(key, "choice", words[static_cast<size_t>(index)], joined(words, " | "), help);
  }
  bool begin_group(std::string_view key, std::string_view help) override {
    add(key, "group", "", "", help);
    prefixes_.push_back(keys_.back().path + ".");
    return true;
  }
  void end_group() override { prefixes_.pop_back(); }

 private:
  void add(std::string_view key, std::string type, std::string value, std::string allowed,
           std::string_view help) {
    const std::string prefix = prefixes_.empty() ? "" : prefixes_.back();
    keys_.push_back({prefix + std::string(key), std::move(type), std::move(value), std::move(allowed),
                     std::string(help)});
  }

  std::vector<ConfigKey> keys_;
  std::vector<std::string> prefixes_;
};

bool is_group(const ConfigKey& key) {
  return key.type == "group";
}

// "whole number of at least 1", "gru | lstm".
std::string type_words(const ConfigKey& key) {
  return key.type == "choice" ? key.allowed : key.type + key.allowed;
}

// A '|' would end the cell of a table.
std::string markdown_cell(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '|' ? "\\|" : std::string(1, c);
  return out;
}

}  // namespace

std::vector<ConfigKey> list_keys(const VisitConfig& visit) {
  KeyLister lister;
  visit(lister);
  return lister.take();
}

std::string describe(const VisitConfig& visit, std::string_view group) {
  const std::vector<ConfigKey> all = list_keys(visit);
  std::vector<ConfigKey> keys;
  std::vector<std::string> groups;
  for (const ConfigKey& key : all) {
    if (is_group(key)) groups.push_back(key.path);
    const bool inside = group.empty() || key.path == group || key.path.starts_with(fmt::format("{}.", group));
    if (inside) keys.push_back(key);
  }
  if (keys.empty()) {
    const auto meant = nearest(group, groups);
    fail_input("{}: no group of the configuration has this name; there {} {}.{}", in_quotes(group),
               groups.size() == 1 ? "is" : "are", joined(groups),
               meant ? fmt::format(" Did you mean {}?", *meant) : "");
  }
  size_t widest = 0;
  for (const ConfigKey& key : keys)
    if (!is_group(key)) widest = std::max(widest, key.path.size());
  std::string out;
  for (const ConfigKey& key : keys) {
    if (is_group(key)) {
      out += fmt::format("{}{}: {}\n", out.empty() ? "" : "\n", key.path, key.help);
    } else {
      out += fmt::format("  {:{}}  {}\n  {:{}}  {}, default {}\n", key.path, widest, key.help, "", widest,
                         type_words(key), key.value);
    }
  }
  return out;
}

std::string describe_as_markdown(const VisitConfig& visit) {
  constexpr const char* kHead = "| key | type | default | what it is |\n| --- | --- | --- | --- |\n";
  std::string out;
  bool in_table = false;
  for (const ConfigKey& key : list_keys(visit)) {
    if (is_group(key)) {
      out += fmt::format("{}## {}\n\n{}\n\n", in_table ? "\n" : "", key.path, key.help);
      in_table = false;
      continue;
    }
    if (!in_table) out += kHead;
    in_table = true;
    out += fmt::format("| `{}` | {} | `{}` | {} |\n", key.path, markdown_cell(type_words(key)),
                       markdown_cell(key.value), markdown_cell(key.help));
  }
  return out;
}

std::vector<ConfigDifference> differences(const VisitConfig& first, const VisitConfig& second) {
  const auto shown = [](const std::string& value) { return value.empty() ? "(none)" : value; };
  std::vector<ConfigDifference> found;
  std::map<std::string, std::string> others;
  const std::vector<ConfigKey> second_keys = list_keys(second);
  for (const ConfigKey& key : second_keys)
    if (!is_group(key)) others[key.path] = key.value;
  for (const ConfigKey& key : list_keys(first)) {
    if (is_group(key)) continue;
    const auto other = others.find(key.path);
    const std::string value = other == others.end() ? "" : other->second;
    if (value != key.value) found.push_back({key.path, shown(key.value), shown(value)});
    if (other != others.end()) others.erase(other);
  }
  for (const ConfigKey& key : second_keys)
    if (others.contains(key.path)) found.push_back({key.path, shown(""), shown(key.value)});
  return found;
}

}  // namespace heed
