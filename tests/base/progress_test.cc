#include "heed/base/progress.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <functional>

namespace heed {
namespace {

// What the display writes to its stream.
std::string shown(bool live, const std::function<void(ProgressDisplay&)>& use) {
  char* text = nullptr;
  size_t size = 0;
  std::FILE* stream = ::open_memstream(&text, &size);
  {
    ProgressDisplay display(stream, live);
    use(display);
  }
  std::fclose(stream);
  std::string result(text, size);
  std::free(text);
  return result;
}

TrainingProgress sample() {
  return {.seconds = 100,
          .epoch = 6,
          .update = 1412,
          .done = 0.81,
          .loss = 2.314,
          .learning_rate = 0.0012,
          .tokens_per_second = 38200,
          .seconds_left = 41,
          .note = "dev chrF 48.9"};
}

TEST(Progress, Durations) {
  EXPECT_EQ(duration_words(0.25), "0.2 s");
  EXPECT_EQ(duration_words(9.96), "10 s");
  EXPECT_EQ(duration_words(41), "41 s");
  EXPECT_EQ(duration_words(59.6), "1 min 0 s");
  EXPECT_EQ(duration_words(161), "2 min 41 s");
  EXPECT_EQ(duration_words(3 * 3600 + 5 * 60 + 59), "3 h 5 min");
  EXPECT_EQ(duration_words(86400 * 2 + 3600 * 4), "2 days 4 h");
  EXPECT_EQ(duration_words(86400), "1 day 0 h");
  EXPECT_EQ(duration_words(NAN), "0 s");
  EXPECT_EQ(duration_words(INFINITY), duration_words(1e12));
  EXPECT_EQ(clock_words(41.4), "0:41");
  EXPECT_EQ(clock_words(3723), "1:02:03");
}

TEST(Progress, Numbers) {
  EXPECT_EQ(grouped_words(0), "0");
  EXPECT_EQ(grouped_words(999), "999");
  EXPECT_EQ(grouped_words(-1234567), "-1,234,567");
}

TEST(Progress, LineHasWhatIsKnown) {
  EXPECT_EQ(progress_line(sample(), 1000, false),
            "epoch 6  update 1,412  loss 2.31  rate 0.0012  38,200 tokens/s  dev chrF 48.9  0:41 left");
  EXPECT_EQ(
      progress_line(sample(), 1000, true),
      "epoch 6  ████████████████░░░░  update 1,412  loss 2.31  rate 0.0012  38,200 tokens/s  dev chrF 48.9  "
      "0:41 left");
  EXPECT_EQ(progress_line({.update = 3, .note = {}}, 1000, true), "update 3");
  EXPECT_EQ(progress_line(sample(), 80, false),
            "epoch 6  update 1,412  loss 2.31  rate 0.0012  38,200 tokens/s  0:41 left");
  EXPECT_EQ(progress_line(sample(), 40, false), "epoch 6  update 1,412  loss 2.31");
  EXPECT_EQ(progress_line({.done = NAN, .loss = NAN, .note = {}}, 1000, true), "");
}

TEST(Progress, PlainLinesOnceInAWhile) {
  const std::string text = shown(false, [](ProgressDisplay& display) {
    for (int second = 0; second < 25; ++second)
      display.show({.seconds = static_cast<double>(second), .update = second, .note = {}});
    display.say("saved");
    display.show({.seconds = 25, .update = 25, .note = {}}, true);
  });
  EXPECT_EQ(text, "update 0\nupdate 10\nupdate 20\nsaved\nupdate 25\n");
}

// The terminal is gone: the work goes on.
TEST(Progress, WhatCannotBeToldEndsNothing) {
  std::FILE* full = std::fopen("/dev/full", "w");
  ASSERT_NE(full, nullptr);
  {
    ProgressDisplay display(full, true);
    display.show({.update = 1, .note = {}}, true);
    display.say("saved");
  }
  EXPECT_NE(std::ferror(full), 0);
  std::fclose(full);
}

TEST(Progress, LiveLineIsRedrawn) {
  const std::string text = shown(true, [](ProgressDisplay& display) {
    display.say("begin");
    display.show({.seconds = 0, .update = 1, .note = {}});
    display.show({.seconds = 0.05, .update = 2, .note = {}});
    display.show({.seconds = 0.2, .update = 3, .note = {}});
    display.say("saved");
  });
  EXPECT_EQ(text, "begin\n\r\x1b[Kupdate 1\r\x1b[Kupdate 3\r\x1b[Ksaved\nupdate 3\n");
}

TEST(Progress, FilesAreNoTerminals) {
  std::FILE* file = std::tmpfile();
  EXPECT_FALSE(is_live_terminal(file));
  std::fclose(file);
}

}  // namespace
}  // namespace heed
