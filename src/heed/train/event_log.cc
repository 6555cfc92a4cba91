#include "heed/train/event_log.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <vector>

#include "heed/base/error.h"
#include "heed/base/file.h"
#include "heed/base/json.h"
#include "heed/train/tensorboard.h"

namespace heed {
namespace {

constexpr const char* kTensorBoard = "events.out.tfevents.";  // begins the name, TensorBoard looks for it

double seconds_since_1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

struct LogLine {
  std::string event;
  int64_t update;
};

// What a whole line of log.jsonl tells; nothing for one that a crash cut.
std::optional<LogLine> read_line(std::string_view line) {
  const auto json = nlohmann::json::parse(line, nullptr, false);
  if (!json.is_object() || !json.contains("update") || !json["update"].is_number_integer())
    return std::nullopt;
  const auto event = json.find("event");
  return LogLine{event != json.end() && event->is_string() ? event->get<std::string>() : "", json["update"]};
}

// Returns the events of `last_update` itself.
std::vector<std::string> cut_log(const std::string& path, int64_t last_update) {
  std::vector<std::string> of_last;
  if (!file_exists(path)) return of_last;
  std::vector<bool> keep;  // each line; a log may be too long to be held
  std::string line;
  for (FileLines lines(path); lines.next(line);) {
    const std::optional<LogLine> read = lines.ended() ? read_line(line) : std::nullopt;
    keep.push_back(read && read->update <= last_update);
    if (read && read->update == last_update) of_last.push_back(read->event);
  }
  if (std::find(keep.begin(), keep.end(), false) == keep.end()) return of_last;
  FileLines lines(path);
  FileWriter kept(path);
  for (const bool keeps : keep)
    if (lines.next(line) && keeps) kept.write(line += '\n');
  kept.commit();
  return of_last;
}

// The folder's event file after the cut; a new one where there is none.
std::string cut_tensorboard(const std::string& folder, int64_t last_update) {
  std::vector<std::string> names = list_folder(folder);
  std::erase_if(names, [](const std::string& name) { return !name.starts_with(kTensorBoard); });
  const double now = seconds_since_1970();
  std::string path =
      folder + "/" +
      (names.empty() ? fmt::format("{}{}.heed", kTensorBoard, static_cast<int64_t>(now)) : names.front());
  FileWriter kept(path);
  const auto begin = [&](double wall_time) { kept.write(tensorboard_header(wall_time)); };
  if (names.empty()) {
    begin(now);
  } else {
    const MappedFile file(path);
    std::string_view rest(reinterpret_cast<const char*>(file.bytes().data()), file.bytes().size());
    std::optional<TensorBoardEvent> event = take_tensorboard_event(rest);
    begin(event ? event->wall_time : now);
    for (; event; event = take_tensorboard_event(rest))
      if (event->file_version.empty() && event->step <= last_update) kept.write(tensorboard_record(*event));
  }
  kept.commit();
  return path;
}

}  // namespace

EventLog::EventLog(const std::string& folder, int64_t last_update)
    : last_update_(last_update), resumed_at_(last_update) {
  const std::string log_path = folder + "/log.jsonl";
  there_ = cut_log(log_path, last_update);
  const std::string tensorboard_path = cut_tensorboard(folder, last_update);
  log_ = std::make_unique<FileAppender>(log_path);
  tensorboard_ = std::make_unique<FileAppender>(tensorboard_path);
}

EventLog::~EventLog() = default;

void EventLog::add(std::string_view event, int64_t update, std::span<const LogField> fields) {
  require(update >= last_update_, "an event of update {} after one of update {}", update, last_update_);
  last_update_ = update;
  if (update == resumed_at_ && std::find(there_.begin(), there_.end(), event) != there_.end()) return;
  const double now = seconds_since_1970();
  JsonWriter json;
  json.begin_object().field("event", event).field("update", update).field("time", now);
  TensorBoardEvent shown{.wall_time = now, .step = update, .scalars = {}, .file_version = {}};
  for (const LogField& field : fields) {
    std::visit(
        [&](const auto& value) {
          json.field(field.name, value);
          using Value = std::decay_t<decltype(value)>;
          if constexpr (std::same_as<Value, int64_t> || std::same_as<Value, double>)
            shown.scalars.emplace_back(fmt::format("{}/{}", event, field.name), static_cast<float>(value));
        },
        field.value);
  }
  json.end_object();
  log_->append(json.text() + "\n");
  if (!shown.scalars.empty()) tensorboard_->append(tensorboard_record(shown));
}

void EventLog::sync() {
  log_->sync();
  tensorboard_->sync();
}

}  // namespace heed
