#include "heed/base/progress.h"

#include <fmt/core.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <vector>

#include "heed/base/text_util.h"

namespace heed {
namespace {

constexpr const char* kClearLine = "\r\x1b[K";
constexpr double kLiveInterval = 0.1;

int64_t whole_seconds(double seconds) {
  constexpr double kMost = 1e12;  // an estimate may be anything
  return seconds >= 0 ? std::llround(std::min(seconds, kMost)) : 0;
}

size_t columns_of(std::FILE* stream) {
  winsize size{};
  const bool known = ::ioctl(::fileno(stream), TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
  return known ? size.ws_col : 100;
}

// Characters, not bytes: what the line takes on the screen.
size_t width_of(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(),
                                           [](char c) { return (static_cast<uint8_t>(c) & 0xC0) != 0x80; }));
}

std::string bar_words(double done) {
  constexpr int kCells = 20;
  const int full = static_cast<int>(std::clamp(done, 0.0, 1.0) * kCells);
  std::string bar;
  for (int i = 0; i < kCells; ++i) bar += i < full ? "█" : "░";
  return bar;
}

}  // namespace

std::string duration_words(double seconds) {
  constexpr int64_t kMinute = 60, kHour = 60 * kMinute, kDay = 24 * kHour;
  if (seconds >= 0 && seconds < 9.95) return fmt::format("{:.1f} s", seconds);
  const int64_t whole = whole_seconds(seconds);
  if (whole < kMinute) return fmt::format("{} s", whole);
  if (whole < kHour) return fmt::format("{} min {} s", whole / kMinute, whole % kMinute);
  if (whole < kDay) return fmt::format("{} h {} min", whole / kHour, whole % kHour / kMinute);
  return fmt::format("{} day{} {} h", whole / kDay, whole < 2 * kDay ? "" : "s", whole % kDay / kHour);
}

std::string clock_words(double seconds) {
  const int64_t whole = whole_seconds(seconds);
  const int64_t minutes = whole / 60;
  if (minutes < 60) return fmt::format("{}:{:02}", minutes, whole % 60);
  return fmt::format("{}:{:02}:{:02}", minutes / 60, minutes % 60, whole % 60);
}

std::string grouped_words(int64_t number) {
  std::string digits = fmt::format("{}", number);
  const size_t first = number < 0 ? 1 : 0;
  for (size_t i = digits.size(); i > first + 3; i -= 3) digits.insert(i - 3, 1, ',');
  return digits;
}

std::string progress_line(const TrainingProgress& progress, size_t columns, bool bar) {
  std::vector<std::string> parts;
  if (progress.epoch >= 0) parts.push_back(fmt::format("epoch {}", progress.epoch));
  if (bar && progress.done >= 0) parts.push_back(bar_words(progress.done));
  if (progress.update >= 0) parts.push_back("update " + grouped_words(progress.update));
  if (progress.loss >= 0) parts.push_back(fmt::format("loss {:.2f}", progress.loss));
  if (progress.learning_rate >= 0) parts.push_back(fmt::format("rate {:.2g}", progress.learning_rate));
  if (progress.tokens_per_second >= 0)
    parts.push_back(grouped_words(whole_seconds(progress.tokens_per_second)) + " tokens/s");
  const size_t note_at = parts.size();
  if (!progress.note.empty()) parts.push_back(progress.note);
  if (progress.seconds_left >= 0) parts.push_back(clock_words(progress.seconds_left) + " left");
  if (!progress.note.empty() && width_of(joined(parts, "  ")) > columns)
    parts.erase(parts.begin() + static_cast<std::ptrdiff_t>(note_at));
  while (parts.size() > 1 && width_of(joined(parts, "  ")) > columns) parts.pop_back();
  return joined(parts, "  ");
}

bool is_live_terminal(std::FILE* stream) {
  const char* no_color = std::getenv("NO_COLOR");
  const char* terminal = std::getenv("TERM");
  const bool plain = (no_color != nullptr && *no_color != '\0') || terminal == nullptr ||
                     std::string_view(terminal) == "dumb";
  return !plain && ::isatty(::fileno(stream)) == 1;
}

namespace {

// What cannot be told, since nobody is there to read it any more, ends no work.
void tell(std::FILE* stream, const std::string& text) {
  std::fputs(text.c_str(), stream);
  std::fflush(stream);
}

}  // namespace

ProgressDisplay::ProgressDisplay(std::FILE* stream, bool live, double plain_interval)
    : stream_(stream),
      live_(live),
      interval_(live ? kLiveInterval : plain_interval),
      last_shown_(-std::numeric_limits<double>::infinity()) {}

ProgressDisplay::~ProgressDisplay() {
  finish();
}

void ProgressDisplay::show(const TrainingProgress& progress, bool now) {
  if (!now && progress.seconds - last_shown_ < interval_) return;
  last_shown_ = progress.seconds;
  if (live_) {
    drawn_ = progress_line(progress, columns_of(stream_) - 1, true);
    tell(stream_, kClearLine + drawn_);
  } else {
    tell(stream_, progress_line(progress, std::numeric_limits<size_t>::max(), false) + "\n");
  }
}

void ProgressDisplay::say(std::string_view line) {
  tell(stream_,
       drawn_.empty() ? fmt::format("{}\n", line) : fmt::format("{}{}\n{}", kClearLine, line, drawn_));
}

void ProgressDisplay::finish() {
  if (drawn_.empty()) return;
  drawn_.clear();
  tell(stream_, "\n");
}

}  // namespace heed
