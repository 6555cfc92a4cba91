#include "heed/base/config_tree.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <set>
#include <sstream>
#include <utility>

#include "heed/base/error.h"
#include "heed/base/json.h"
#include "heed/base/text_util.h"

namespace heed {
namespace {

constexpr size_t kLargest = size_t{1} << 18;  // bytes of a configuration
constexpr size_t kDeepest = 16;               // maps and lists inside each other

// Builds the tree out of the parser's events, refusing what heed does not use before it can grow.
class TreeBuilder : public YAML::EventHandler {
 public:
  // `numbered`: the text has lines worth naming.
  TreeBuilder(std::string_view source, bool numbered) : source_(source), numbered_(numbered) {}

  ConfigNode take_root() { return std::move(root_); }

  std::string where(const YAML::Mark& mark) const {
    return numbered_ && mark.line >= 0 ? fmt::format("{}:{}", source_, mark.line + 1) : source_;
  }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (documents_++ > 0) fail_input("{}: a second document begins here; only one is expected", where(mark));
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(mark, anchor, "?", {.kind = ConfigNode::Kind::nothing});
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override { refuse_anchor(mark); }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (!open_.empty() && open_.back().node.kind == ConfigNode::Kind::map && !open_.back().has_key)
      return add_key(mark, value);
    add(mark, anchor, tag, {.kind = ConfigNode::Kind::scalar, .quoted = tag == "!", .text = value});
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    open(mark, anchor, tag, ConfigNode::Kind::list);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    open(mark, anchor, tag, ConfigNode::Kind::map);
  }
  void OnMapEnd() override { close(); }

 private:
  // A map or list that is not closed yet.
  struct Open {
    ConfigNode node;
    std::set<std::string> keys = {};  // of a map, those seen
    bool has_key = false;             // a key waits for its value
    std::string key = {};
    std::string key_where = {};
  };

  [[noreturn]] void refuse_anchor(const YAML::Mark& mark) const {
    fail_input("{}: anchors and aliases (& and *) are not used here; write the value out, or in quotes",
               where(mark));
  }

  void check(const YAML::Mark& mark, YAML::anchor_t anchor, const std::string& tag) const {
    if (anchor != 0) refuse_anchor(mark);
    if (!tag.empty() && tag != "?" && tag != "!")
      fail_input("{}: tags ({}) are not used here; write the value without it", where(mark), in_quotes(tag));
    const bool key_expected =
        !open_.empty() && open_.back().node.kind == ConfigNode::Kind::map && !open_.back().has_key;
    if (key_expected) fail_input("{}: expected the name of a key (is a bracket not closed?)", where(mark));
  }

  void add_key(const YAML::Mark& mark, const std::string& key) {
    Open& map = open_.back();
    if (!map.keys.insert(key).second)
      fail_input("{}: the key {} is here a second time; remove one of them", where(mark), in_quotes(key));
    map.has_key = true;
    map.key = key;
    map.key_where = where(mark);
  }

  void open(const YAML::Mark& mark, YAML::anchor_t anchor, const std::string& tag, ConfigNode::Kind kind) {
    check(mark, anchor, tag);
    if (open_.size() >= kDeepest) fail_input("{}: nested more than {} deep", where(mark), kDeepest);
    open_.push_back({.node = {.kind = kind, .where = where(mark)}});
  }

  void close() {
    ConfigNode node = std::move(open_.back().node);
    open_.pop_back();
    attach(std::move(node));
  }

  void add(const YAML::Mark& mark, YAML::anchor_t anchor, const std::string& tag, ConfigNode node) {
    check(mark, anchor, tag);
    node.where = where(mark);
    attach(std::move(node));
  }

  void attach(ConfigNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == ConfigNode::Kind::map) {
      node.key = std::move(parent.key);
      node.where = std::move(parent.key_where);
      parent.has_key = false;
    }
    parent.node.items.push_back(std::move(node));
  }

  std::string source_;
  bool numbered_;
  int documents_ = 0;
  std::vector<Open> open_;
  ConfigNode root_;
};

// yaml-cpp takes \x04 for the end of the text, and other control characters have no business here.
void check_characters(std::string_view text, std::string_view file) {
  const auto fail_at = [&](size_t offset, const char* what) {
    const auto line = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(offset), '\n') + 1;
    fail_input("{}:{}: {} (byte 0x{:02x})", file, line, what, static_cast<unsigned char>(text[offset]));
  };
  if (text.size() > kLargest)
    fail_input("{}: {} bytes, more than the {} that a configuration may have", file, text.size(), kLargest);
  const size_t invalid = find_invalid_utf8(text);
  if (invalid != std::string_view::npos) fail_at(invalid, "not valid UTF-8");
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if ((c < 0x20 && c != '\t' && c != '\n' && c != '\r') || c == 0x7F)
      fail_at(i, "a control character, which no configuration needs");
  }
}

ConfigNode parse(std::string_view text, std::string_view source, bool numbered) {
  check_characters(text, source);
  TreeBuilder builder(source, numbered);
  try {
    std::istringstream stream{std::string(text)};
    YAML::Parser parser(stream);
    while (parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& error) {
    fail_input("{}: not valid YAML: {}", builder.where(error.mark), error.msg);
  }
  return builder.take_root();
}

bool is_special_word(std::string_view text) {
  constexpr std::array<std::string_view, 9> kWords = {"true", "false", "yes", "no", "on",
                                                      "off",  "null",  "y",   "n"};
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return std::find(kWords.begin(), kWords.end(), lower) != kWords.end();
}

}  // namespace

ConfigNode* ConfigNode::find(std::string_view name) {
  if (kind != Kind::map) return nullptr;
  const auto found =
      std::find_if(items.begin(), items.end(), [&](const ConfigNode& node) { return node.key == name; });
  return found == items.end() ? nullptr : &*found;
}

ConfigNode parse_yaml(std::string_view text, std::string_view file) {
  return parse(text, file, true);
}

void apply_override(ConfigNode& root, std::string_view assignment) {
  const std::string where = fmt::format("--set {}", assignment.substr(0, 200));
  const size_t equals = assignment.find('=');
  if (equals == std::string_view::npos) fail_input("{}: expected key=value, as in model.width=256", where);
  const std::string_view value = assignment.substr(equals + 1);

  ConfigNode* node = &root;
  const std::vector<std::string> path = split(assignment.substr(0, equals), '.');
  if (path.size() > kDeepest) fail_input("{}: nested more than {} deep", where, kDeepest);
  for (const std::string& key : path) {
    if (key.empty()) fail_input("{}: expected the name of a key before =, as in model.width=256", where);
    if (node->kind != ConfigNode::Kind::map) {
      node->kind = ConfigNode::Kind::map;
      node->where = where;
      node->items.clear();
    }
    ConfigNode* child = node->find(key);
    if (child == nullptr) {
      node->items.push_back({.key = key, .where = where});
      child = &node->items.back();
    }
    node = child;
  }
  ConfigNode parsed;
  // Only what looks like a list, a map or a quoted text is read as YAML: other values are meant as they
  // stand.
  if (!value.empty() && std::string_view("[{\"'").find(value[0]) != std::string_view::npos) {
    parsed = parse(value, where, false);
  } else {
    check_characters(value, where);
    parsed = {.kind = ConfigNode::Kind::scalar, .text = std::string(value)};
  }
  parsed.key = path.back();
  parsed.where = where;
  *node = std::move(parsed);
}

std::string yaml_text(std::string_view text) {
  const auto is_plain = [](unsigned char c) {
    return std::isalnum(c) || std::string_view("_-./+").find(static_cast<char>(c)) != std::string_view::npos;
  };
  const bool plain = !text.empty() && (std::isalpha(static_cast<unsigned char>(text[0])) || text[0] == '/') &&
                     std::all_of(text.begin(), text.end(), is_plain) && !is_special_word(text);
  if (plain) return std::string(text);
  return JsonWriter().value(text).text();  // which YAML reads as well
}

}  // namespace heed
