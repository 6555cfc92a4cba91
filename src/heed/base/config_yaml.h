// Reading and writing a configuration as YAML. What write_yaml() writes, read_yaml() reads back as the same
// values.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "heed/base/config.h"

namespace heed {

using VisitConfig = std::function<void(ConfigVisitor&)>;

// Reads over the values that the configuration has. `overrides` are assignments "a.b=value" (--set) that come
// after the file. Throws InputError that names file and line (or the --set), the key, what was found and what
// is expected; for an unknown key the nearest of those that the configuration has just visited.
void read_yaml(std::string_view text, std::string_view file, const VisitConfig& visit,
               std::span<const std::string> overrides = {});

// Every key in the order of visiting.
std::string write_yaml(const VisitConfig& visit);

template <class Config>
void read_yaml(std::string_view text, std::string_view file, Config& config,
               std::span<const std::string> overrides = {}) {
  read_yaml(text, file, VisitConfig([&](ConfigVisitor& visitor) { config.visit(visitor); }), overrides);
}

template <class Config>
std::string write_yaml(Config config) {
  return write_yaml(VisitConfig([&](ConfigVisitor& visitor) { config.visit(visitor); }));
}

}  // namespace heed
