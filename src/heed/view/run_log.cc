#include "heed/view/run_log.h"

#include <fmt/core.h>

#include <cmath>
#include <nlohmann/json.hpp>

#include "heed/base/error.h"
#include "heed/base/file.h"
#include "heed/base/text_util.h"

namespace heed::view {
namespace {

using Json = nlohmann::json;

struct Line {
  const std::string& path;
  int64_t number;
  const Json& json;

  double value(const char* key) const {
    const auto found = json.find(key);
    if (found == json.end() || found->is_null()) return kMissing;
    if (!found->is_number()) wrong(key, "a number", *found);
    return found->get<double>();
  }
  std::string text(const Json& object, const char* key) const {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) return "";
    if (!found->is_string()) wrong(key, "a text", *found);
    return found->get<std::string>();
  }
  int64_t update() const {
    const auto found = json.find("update");
    if (found == json.end() || !found->is_number_integer())
      wrong("update", "a whole number", found == json.end() ? Json() : *found);
    return found->get<int64_t>();
  }
  std::vector<Sample> samples() const {
    std::vector<Sample> out;
    const auto found = json.find("samples");
    if (found == json.end() || found->is_null()) return out;
    if (!found->is_array()) wrong("samples", "a list", *found);
    for (const Json& sample : *found) {
      if (!sample.is_object()) wrong("samples", "a list of objects", sample);
      out.push_back({text(sample, "source"), text(sample, "target"), text(sample, "output")});
    }
    return out;
  }
  [[noreturn]] void wrong(const char* key, const char* expected, const Json& found) const {
    fail_input("{}:{}: \"{}\" must be {}, found {}", path, number, key, expected,
               in_quotes(found.dump(-1, ' ', false, Json::error_handler_t::replace)));
  }
};

// A resumed run repeats what came after its checkpoint.
template <class Point>
void drop_from(std::vector<Point>& points, int64_t update) {
  while (!points.empty() && points.back().update >= update) points.pop_back();
}

void add_line(RunLog& log, const Line& line) {
  const std::string event = line.text(line.json, "event");
  if (event == "update") {
    UpdatePoint point{line.update()};
    point.epoch = line.value("epoch"), point.loss = line.value("loss");
    point.learning_rate = line.value("learning_rate");
    point.tokens_per_s = line.value("target_tokens_per_s"), point.seconds = line.value("seconds");
    drop_from(log.updates, point.update);
    while (!log.validations.empty() && log.validations.back().update > point.update)
      log.validations.pop_back();
    log.updates.push_back(point);
  } else if (event == "validation") {
    ValidationPoint point{line.update()};
    point.epoch = line.value("epoch"), point.seconds = line.value("seconds");
    point.dev_loss = line.value("dev_loss");
    for (const Metric& metric : kMetrics)
      if (const double value = line.value(metric.key); !std::isnan(value)) point.metrics[metric.key] = value;
    point.samples = line.samples();
    drop_from(log.validations, point.update);
    log.validations.push_back(std::move(point));
  }
}

}  // namespace

RunLog read_run_log(const std::string& path) {
  RunLog log;
  FileLines lines(path);
  for (std::string text; lines.next(text);) {
    const int64_t number = lines.number();
    if (text.find_first_not_of(" \t\r") == std::string::npos) continue;
    // No line of a log nests deeply; a parser must not be led to overflow its stack.
    const Json json = Json::parse(
        text, [](int depth, Json::parse_event_t, Json&) { return depth < 16; }, false);
    if (json.is_object()) {
      add_line(log, {path, number, json});
    } else if (!lines.ended()) {
      log.notes.push_back(fmt::format("{}:{}: the last line is cut short and was left out", path, number));
    } else {
      fail_input("{}:{}: expected a JSON object, found {}; remove the line or restore the file", path, number,
                 in_quotes(text));
    }
  }
  return log;
}

}  // namespace heed::view
