// One description of every configuration: a struct lists its fields once, in visit(), and readers, writers,
// checks, help and documentation are visitors over that list.
//
//   struct TransformerConfig {
//     int64_t width = 512;
//     bool pre_norm = false;
//     void visit(ConfigVisitor& v) {
//       v("width", width, "model width D", at_least(1));
//       v("pre_norm", pre_norm, "LayerNorm before each sub-layer instead of after it");
//     }
//   };
//
// A choice is an enum with names: v("schedule", schedule, {"constant", "cosine"}, "how the rate moves"), the
// names in the order of the enumerators from 0. A group nests: v.group("train", train, "the training").
// Fields that depend on a choice are visited after it: `type` first, then the fields of that type.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace heed {

// Bounds of a number, both inclusive; checked by the reader.
struct Range {
  double lowest = -std::numeric_limits<double>::infinity();
  double highest = std::numeric_limits<double>::infinity();
};
constexpr Range at_least(double lowest) {
  return {lowest, std::numeric_limits<double>::infinity()};
}
constexpr Range between(double lowest, double highest) {
  return {lowest, highest};
}

class ConfigVisitor {
 public:
  virtual ~ConfigVisitor() = default;

  void operator()(std::string_view key, bool& value, std::string_view help) { on_bool(key, value, help); }
  void operator()(std::string_view key, int64_t& value, std::string_view help, Range range = {}) {
    on_integer(key, value, help, range);
  }
  void operator()(std::string_view key, double& value, std::string_view help, Range range = {}) {
    on_number(key, value, help, range);
  }
  void operator()(std::string_view key, std::string& value, std::string_view help) {
    on_string(key, value, help);
  }
  void operator()(std::string_view key, std::vector<std::string>& value, std::string_view help) {
    on_list(key, value, help);
  }
  template <class Enum>
  requires std::is_enum_v<Enum>
  void operator()(std::string_view key, Enum& value, std::initializer_list<std::string_view> names,
                  std::string_view help) {
    int index = static_cast<int>(value);
    on_choice(key, index, std::span(names.begin(), names.size()), help);
    value = static_cast<Enum>(index);
  }
  template <class Config>
  void group(std::string_view key, Config& config, std::string_view help) {
    if (begin_group(key, help)) {
      config.visit(*this);
      end_group();
    }
  }

 protected:
  virtual void on_bool(std::string_view key, bool& value, std::string_view help) = 0;
  virtual void on_integer(std::string_view key, int64_t& value, std::string_view help, Range range) = 0;
  virtual void on_number(std::string_view key, double& value, std::string_view help, Range range) = 0;
  virtual void on_string(std::string_view key, std::string& value, std::string_view help) = 0;
  virtual void on_list(std::string_view key, std::vector<std::string>& value, std::string_view help) = 0;
  virtual void on_choice(std::string_view key, int& index, std::span<const std::string_view> names,
                         std::string_view help) = 0;
  // False: the visitor does not want to see inside (end_group is then not called).
  virtual bool begin_group(std::string_view key, std::string_view help) = 0;
  virtual void end_group() = 0;
};

}  // namespace heed
