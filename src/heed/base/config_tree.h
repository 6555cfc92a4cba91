// A configuration text as a tree, before any struct gives it meaning. A strict part of YAML: one document of
// maps, lists and scalars; no anchors, aliases, tags or repeated keys. Every node knows where it was written.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace heed {

struct ConfigNode {
  enum class Kind { nothing, scalar, list, map };

  Kind kind = Kind::nothing;
  bool quoted = false;                 // a scalar written in quotes is text, never a number
  bool known = false;                  // set by the reader when a field takes the node
  std::string key = {};                // in a map
  std::string where = {};              // "my.yaml:12" or "--set model.width=8"
  std::string text = {};               // of a scalar
  std::vector<ConfigNode> items = {};  // of a list or a map

  ConfigNode* find(std::string_view name);
};

// Throws InputError with file and line.
ConfigNode parse_yaml(std::string_view text, std::string_view file);

// Puts the value of "a.b=value" into the tree, over what the file says. The value may be a list or a map: [x,
// y].
void apply_override(ConfigNode& root, std::string_view assignment);

// The text as a YAML scalar that reads back as the same text, quoted where it must be.
std::string yaml_text(std::string_view text);

}  // namespace heed
