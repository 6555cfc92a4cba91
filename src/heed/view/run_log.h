// What a run wrote down while it trained: log.jsonl, one JSON object a line.
//   {"event": "update", "update": 100, "epoch": 1, "loss": 4.2, "learning_rate": 1e-3,
//   "target_tokens_per_s": 38000, "seconds": 12}
//   {"event": "validation", "update": 500, "seconds": 60, "dev_loss": 2.9, "bleu": 21.4, "chrf": 48.1,
//    "samples": [{"source": "..", "target": "..", "output": ".."}]}
#pragma once

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace heed::view {

inline constexpr double kMissing = std::numeric_limits<double>::quiet_NaN();

struct UpdatePoint {
  int64_t update = 0;
  double epoch = kMissing, loss = kMissing, learning_rate = kMissing;
  double tokens_per_s = kMissing;  // target tokens
  double seconds = kMissing;       // since the run began
};

// What is measured on the dev set beside the loss.
struct Metric {
  const char* key;   // in the log
  const char* name;  // on the page
  bool less_is_better;
};
inline constexpr Metric kMetrics[] = {
    {"bleu", "BLEU", false}, {"chrf", "chrF", false},
    {"wer", "WER", true},    {"accuracy", "accuracy, %", false},
    {"f1", "F1, %", false},  {"diagonal", "attention near the diagonal, %", false}};

struct Sample {
  std::string source, target, output;
};

struct ValidationPoint {
  int64_t update = 0;
  double epoch = kMissing, seconds = kMissing, dev_loss = kMissing;
  std::map<std::string, double> metrics = {};  // by the key of a Metric
  std::vector<Sample> samples = {};
};

struct RunLog {
  std::vector<UpdatePoint> updates;
  std::vector<ValidationPoint> validations;
  std::vector<std::string> notes;  // what the reader left out, and why
};

// Fields that are not there are missing values, events of other names are passed over. A line that is no JSON
// object, or a field of the wrong kind, is an InputError with file and line; a last line cut short by a crash
// is left out with a note. Where a run went back to a checkpoint, what it did anew replaces what it had done.
RunLog read_run_log(const std::string& path);

}  // namespace heed::view
