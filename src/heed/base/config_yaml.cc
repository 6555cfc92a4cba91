#include "heed/base/config_yaml.h"

#include <fmt/core.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>
#include <vector>

#include "heed/base/config_tree.h"
#include "heed/base/config_value.h"
#include "heed/base/error.h"
#include "heed/base/text_util.h"

namespace heed {
namespace {

std::string last_part(const std::string& path) {
  return path.substr(path.rfind('.') + 1);  // npos + 1 is 0: the whole
}

std::string parent_of(const std::string& path) {
  const size_t dot = path.rfind('.');
  return dot == std::string::npos ? "" : path.substr(0, dot);
}

class YamlReader : public ConfigVisitor {
 public:
  explicit YamlReader(ConfigNode& root) { groups_.push_back({&root, ""}); }

  // After the visit: fails for the first key in the tree that no field took.
  void check_unknown(const VisitConfig& visit, const ConfigNode& node, const std::string& path = "") const {
    for (const ConfigNode& item : node.items) {
      const std::string item_path = path.empty() ? item.key : path + "." + item.key;
      if (!item.known) {
        if (!knows(item_path)) check_choices(visit, item, item_path);
        fail_unknown(item, item_path);
      }
      if (item.kind == ConfigNode::Kind::map) check_unknown(visit, item, item_path);
    }
  }

 protected:
  void on_bool(std::string_view key, bool& value, std::string_view) override {
    if (const auto found = scalar(key, "true or false")) value = parse_bool(found->subject, found->text);
  }
  void on_integer(std::string_view key, int64_t& value, std::string_view, Range range) override {
    if (const auto found = scalar(key, "a whole number"))
      value = parse_integer(found->subject, found->text, range);
  }
  void on_number(std::string_view key, double& value, std::string_view, Range range) override {
    if (const auto found = scalar(key, "a number")) value = parse_number(found->subject, found->text, range);
  }
  void on_string(std::string_view key, std::string& value, std::string_view) override {
    ConfigNode* node = take(key);
    if (node == nullptr) return;
    if (node->kind != ConfigNode::Kind::scalar) fail_type(*node, "a text (\"\" for an empty one)");
    value = node->text;
  }
  void on_list(std::string_view key, std::vector<std::string>& value, std::string_view) override {
    ConfigNode* node = take(key);
    if (node == nullptr) return;
    if (node->kind == ConfigNode::Kind::scalar) {  // a list of one may be written without brackets
      value = {node->text};
      return;
    }
    constexpr const char* kExpected = "a list of texts, as [a, b]";
    if (node->kind != ConfigNode::Kind::list) fail_type(*node, kExpected);
    std::vector<std::string> texts;
    for (const ConfigNode& item : node->items) {
      if (item.kind != ConfigNode::Kind::scalar) fail_type(*node, kExpected);
      texts.push_back(item.text);
    }
    value = std::move(texts);
  }
  void on_choice(std::string_view key, int& index, std::span<const std::string_view> names,
                 std::string_view) override {
    if (const ConfigNode* node = take(key)) {
      if (node->kind != ConfigNode::Kind::scalar) fail_type(*node, "a name");
      index = parse_choice(fmt::format("{}: {}", node->where, paths_.back()), node->text, names);
    }
    choices_.push_back(
        {paths_.back(), {names.begin(), names.end()}, std::string(names[static_cast<size_t>(index)])});
  }
  bool begin_group(std::string_view key, std::string_view) override {
    ConfigNode* node = take(key);
    if (node != nullptr && node->kind != ConfigNode::Kind::map && node->kind != ConfigNode::Kind::nothing)
      fail_type(*node, "a group of keys");
    groups_.push_back({node, path_of(key)});
    return true;
  }
  void end_group() override { groups_.pop_back(); }

 private:
  struct Group {
    ConfigNode* node;  // nullptr: not in the file, its fields keep their values
    std::string path;
  };
  struct Found {
    std::string subject;  // begins messages
    std::string text;
  };
  struct Choice {
    std::string path;
    std::vector<std::string> names;
    std::string chosen;
  };

  std::string path_of(std::string_view key) const {
    const std::string& group = groups_.back().path;
    return group.empty() ? std::string(key) : fmt::format("{}.{}", group, key);
  }

  // The node of a field, marked as known; nullptr if the file does not have it.
  ConfigNode* take(std::string_view key) {
    paths_.push_back(path_of(key));
    ConfigNode* group = groups_.back().node;
    ConfigNode* node = group == nullptr ? nullptr : group->find(key);
    if (node != nullptr) node->known = true;
    return node;
  }

  // The plain scalar of a field that is no text.
  std::optional<Found> scalar(std::string_view key, std::string_view expected) {
    ConfigNode* node = take(key);
    if (node == nullptr) return std::nullopt;
    if (node->kind != ConfigNode::Kind::scalar) fail_type(*node, expected);
    if (node->quoted)
      fail_input("{}: {}: found the text {} in quotes, expected {}", node->where, paths_.back(),
                 in_quotes(node->text), expected);
    return Found{fmt::format("{}: {}", node->where, paths_.back()), node->text};
  }

  [[noreturn]] void fail_type(const ConfigNode& node, std::string_view expected) const {
    const auto found = node.kind == ConfigNode::Kind::nothing ? std::string("nothing")
                       : node.kind == ConfigNode::Kind::list  ? std::string("a list")
                       : node.kind == ConfigNode::Kind::map   ? std::string("a group of keys")
                                                              : in_quotes(node.text);
    fail_input("{}: {}: found {}, expected {}", node.where, paths_.back(), found, expected);
  }

  bool knows(const std::string& path) const {
    return std::find(paths_.begin(), paths_.end(), path) != paths_.end();
  }

  // Fails for a key that there is where a choice is another: model.heads where model.type is rnn.
  void check_choices(const VisitConfig& visit, const ConfigNode& node, const std::string& path) const {
    for (const Choice& choice : choices_) {
      const auto knows_with = [&](const std::string& name) {
        ConfigNode root;
        apply_override(root, choice.path + "=" + name);
        YamlReader reader(root);
        visit(reader);
        return reader.knows(path);
      };
      std::vector<std::string> owners;
      std::copy_if(choice.names.begin(), choice.names.end(), std::back_inserter(owners), knows_with);
      knows_with(choice.chosen);  // as it was, for the next choice
      if (!owners.empty())
        fail_input("{0}: {1} belongs to {2} {3}, but {2} is {4} here; leave {1} out or change {2}",
                   node.where, path, choice.path, joined(owners, " or "), choice.chosen);
    }
  }

  // What the user may have meant: a near name in the same group, or in another one; where the group is right,
  // just the same name in another one.
  std::optional<std::string> meant(const std::string& path) const {
    const std::string name = last_part(path), group = parent_of(path);
    const bool known_group = knows(group);
    std::vector<std::string> siblings, others;
    for (const std::string& known : paths_) {
      if (parent_of(known) == group)
        siblings.push_back(known);
      else if (!known_group || last_part(known) == name)
        others.push_back(known);
    }
    for (const std::vector<std::string>& candidates : {siblings, others}) {
      std::vector<std::string> names;
      std::transform(candidates.begin(), candidates.end(), std::back_inserter(names), last_part);
      if (const auto near = nearest(name, names))
        return candidates[static_cast<size_t>(std::find(names.begin(), names.end(), *near) - names.begin())];
    }
    return std::nullopt;
  }

  [[noreturn]] void fail_unknown(const ConfigNode& node, const std::string& path) const {
    const auto suggestion = meant(path);
    const std::string& listed = suggestion ? *suggestion : path;
    const bool grouped = listed.find('.') != std::string::npos;
    // "train.warmup: 3" is how --set and the messages write it.
    const bool dotted = node.key.find('.') != std::string::npos;
    fail_input("{}: unknown key {}.{} (heed train --help{} lists them)", node.where,
               path.size() > 100 ? path.substr(0, 100) + "..." : path,
               !suggestion ? ""
               : dotted ? fmt::format(" In a file a key stands in its group: {}", nested(*suggestion, node))
                        : fmt::format(" Did you mean {}?", *suggestion),
               grouped ? " " + listed.substr(0, std::min<size_t>(listed.find('.'), 100)) : "");
  }

  // The key as a file has it: "train: {warmup: 3}".
  static std::string nested(const std::string& path, const ConfigNode& node) {
    const std::vector<std::string> groups = split(path, '.');
    const bool shown = node.kind == ConfigNode::Kind::scalar && node.text.size() <= 60;
    const bool as_written = !node.quoted && node.text.find_first_of(",[]{}") == std::string::npos;
    return fmt::format("{}: {}{}", joined(groups, ": {"),
                       !shown       ? "..."
                       : as_written ? node.text
                                    : yaml_text(node.text),
                       std::string(groups.size() - 1, '}'));
  }

  std::vector<Group> groups_;
  std::vector<std::string> paths_;  // every key visited, in full
  std::vector<Choice> choices_;     // those among them
};

class YamlWriter : public ConfigVisitor {
 public:
  std::string take() { return std::move(out_); }

 protected:
  void on_bool(std::string_view key, bool& value, std::string_view) override {
    line(key, value ? "true" : "false");
  }
  void on_integer(std::string_view key, int64_t& value, std::string_view, Range) override {
    line(key, fmt::format("{}", value));
  }
  void on_number(std::string_view key, double& value, std::string_view, Range) override {
    line(key, number_text(value));
  }
  void on_string(std::string_view key, std::string& value, std::string_view) override {
    line(key, yaml_text(value));
  }
  void on_list(std::string_view key, std::vector<std::string>& value, std::string_view) override {
    std::vector<std::string> texts;
    for (const std::string& item : value) texts.push_back(yaml_text(item));
    line(key, fmt::format("[{}]", joined(texts)));
  }
  void on_choice(std::string_view key, int& index, std::span<const std::string_view> names,
                 std::string_view) override {
    line(key, names[static_cast<size_t>(index)]);
  }
  bool begin_group(std::string_view key, std::string_view) override {
    line(key, "");
    ++depth_;
    return true;
  }
  void end_group() override { --depth_; }

 private:
  void line(std::string_view key, std::string_view value) {
    out_ += fmt::format("{:{}}{}:{}{}\n", "", 2 * depth_, key, value.empty() ? "" : " ", value);
  }

  std::string out_;
  int depth_ = 0;
};

}  // namespace

void read_yaml(std::string_view text, std::string_view file, const VisitConfig& visit,
               std::span<const std::string> overrides) {
  ConfigNode root = parse_yaml(text, file);
  if (root.kind == ConfigNode::Kind::scalar || root.kind == ConfigNode::Kind::list)
    fail_input("{}: found {}, expected keys and values, as in \"model: {{width: 256}}\"", root.where,
               root.kind == ConfigNode::Kind::list ? "a list" : in_quotes(root.text));
  for (const std::string& assignment : overrides) apply_override(root, assignment);
  YamlReader reader(root);
  visit(reader);
  reader.check_unknown(visit, root);
}

std::string write_yaml(const VisitConfig& visit) {
  YamlWriter writer;
  visit(writer);
  return writer.take();
}

}  // namespace heed
