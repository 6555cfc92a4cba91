// Progress of long work: a line that is redrawn on a terminal, plain lines elsewhere; and numbers in words
// people use.
#pragma once

#include <cstdint>
#include <cstdio>
#include <string>
#include <string_view>

namespace heed {

std::string duration_words(double seconds);  // "41 s", "2 min 41 s", "3 h 5 min", "2 days 4 h"
std::string clock_words(double seconds);     // "0:41", "1:02:03"
std::string grouped_words(int64_t number);   // "1,412"

// Where training stands. Fields below zero, or empty, are left out.
struct TrainingProgress {
  double seconds = 0;  // since the start
  int64_t epoch = -1;  // from 1
  int64_t update = -1;
  double done = -1;  // share of the work, 0 to 1
  double loss = -1;
  double learning_rate = -1;
  double tokens_per_second = -1;
  double seconds_left = -1;
  std::string note = {};  // "dev chrF 48.9"
};

// One line without its end, at most `columns` wide (the note and then the end go first); a bar with `bar`.
std::string progress_line(const TrainingProgress& progress, size_t columns, bool bar);

// True if the stream is a terminal that redraws lines: not under NO_COLOR, not TERM=dumb.
bool is_live_terminal(std::FILE* stream);

// Shows progress on a stream that the caller gives. Live: the line is redrawn, at most ten times a second.
// Else: a plain line each `plain_interval` seconds.
class ProgressDisplay {
 public:
  ProgressDisplay(std::FILE* stream, bool live, double plain_interval = 10);
  ~ProgressDisplay();  // ends the line
  ProgressDisplay(const ProgressDisplay&) = delete;
  ProgressDisplay& operator=(const ProgressDisplay&) = delete;

  // Draws if it is time to; always with `now`.
  void show(const TrainingProgress& progress, bool now = false);
  // A line of its own, above the progress line where that is live.
  void say(std::string_view line);
  // Leaves the progress line as it stands; what comes next begins a new one.
  void finish();

 private:
  std::FILE* stream_;
  bool live_;
  double interval_;
  double last_shown_;
  std::string drawn_;  // the live line on the screen; empty: none
};

}  // namespace heed
