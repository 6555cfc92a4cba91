// What training reports, kept twice: log.jsonl, one JSON object a line, and a TensorBoard event file. Both
// lie in the model folder, and both are cut back when a run resumes from a checkpoint, so that no update is
// there twice.
//
//   {"event":"update","update":200,"time":1700000000.5,"epoch":1,"loss":3.25,"learning_rate":0.001}
//
// TensorBoard shows each number as "update/loss" over updates.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "heed/base/json.h"

namespace heed {

class FileAppender;

// One named value of an event. Bool, integer, number, text, or JSON (lists and objects).
struct LogField {
  using Value = std::variant<bool, int64_t, double, std::string, JsonText>;

  template <class T>
  LogField(std::string_view field_name, const T& field_value)
      : name(field_name), value(convert(field_value)) {}

  std::string name;
  Value value;

 private:
  template <class T>
  static Value convert(const T& field_value) {
    if constexpr (std::same_as<T, bool>) return field_value;
    if constexpr (std::integral<T> && !std::same_as<T, bool>) return static_cast<int64_t>(field_value);
    if constexpr (std::floating_point<T>) return static_cast<double>(field_value);
    if constexpr (std::same_as<T, JsonText>) return field_value;
    if constexpr (!std::is_arithmetic_v<T> && !std::same_as<T, JsonText>) return std::string(field_value);
  }
};

class EventLog {
 public:
  // Opens the logs in the folder for appending, with everything after `last_update` cut off: 0 for a run that
  // begins, the checkpoint's update for one that resumes. What a crash left half-written is cut too.
  EventLog(const std::string& folder, int64_t last_update);
  ~EventLog();

  // Adds one event to both files, at once visible to readers. Updates may not fall. An event that a resumed
  // run finds there already, of the update it resumes from, is not added again. Throws InputError when the
  // disk is full.
  void add(std::string_view event, int64_t update, std::span<const LogField> fields);
  void add(std::string_view event, int64_t update, std::initializer_list<LogField> fields) {
    add(event, update, std::span(fields.begin(), fields.size()));
  }

  // To the disk; to be called before a checkpoint is written, so that the logs reach as far as it.
  void sync();

 private:
  std::unique_ptr<FileAppender> log_;
  std::unique_ptr<FileAppender> tensorboard_;
  int64_t last_update_;
  const int64_t resumed_at_;
  std::vector<std::string> there_;  // the events of that update
};

}  // namespace heed
