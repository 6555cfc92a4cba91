// What a configuration consists of, as data: for help, documentation and comparison.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "heed/base/config_yaml.h"

namespace heed {

struct ConfigKey {
  std::string path;  // "model.width"; of a group "model"
  std::string
      type;  // "true or false", "whole number", "number", "text", "list", "choice"; of a group "group"
  std::string value;    // as YAML
  std::string allowed;  // " of at least 1", "gru | lstm"; empty: anything of the type
  std::string help;
};

// Groups come before their keys.
std::vector<ConfigKey> list_keys(const VisitConfig& visit);

// Help for a terminal: of the group with this path, or of everything for an empty one. Throws InputError that
// names the nearest group if there is none.
std::string describe(const VisitConfig& visit, std::string_view group = "");

// The same as Markdown: one table a group.
std::string describe_as_markdown(const VisitConfig& visit);

struct ConfigDifference {
  std::string path;
  std::string first;  // as YAML, "(none)" where the key or its value is not there
  std::string second;
};
std::vector<ConfigDifference> differences(const VisitConfig& first, const VisitConfig& second);

template <class Config>
VisitConfig visit_of(Config config) {
  return [config](ConfigVisitor& visitor) mutable { config.visit(visitor); };
}

}  // namespace heed
