#include "heed/train/event_log.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <vector>

#include "heed/base/error.h"
#include "heed/base/file.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/tensorboard.h"

namespace heed {
namespace {

std::string tensorboard_path(const TemporaryFolder& folder) {
  std::string found;
  for (const std::string& name : list_folder(folder.path())) {
    if (!name.starts_with("events.out.tfevents.")) continue;
    EXPECT_TRUE(found.empty()) << "more than one event file";
    found = folder.path(name);
  }
  return found;
}

std::vector<int64_t> logged_updates(const TemporaryFolder& folder) {
  std::vector<int64_t> updates;
  const std::string log = read_file(folder.path("log.jsonl"));
  for (size_t begin = 0; begin < log.size(); begin = log.find('\n', begin) + 1)
    updates.push_back(nlohmann::json::parse(log.substr(begin, log.find('\n', begin) - begin))["update"]);
  return updates;
}

std::vector<int64_t> shown_updates(const TemporaryFolder& folder) {
  std::vector<int64_t> updates;
  for (const TensorBoardEvent& event : read_tensorboard(read_file(tensorboard_path(folder))))
    if (event.file_version.empty()) updates.push_back(event.step);
  return updates;
}

TEST(Crc32c, GivesThePublishedValues) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283u);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAu);  // RFC 3720, B.4
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62A8AB43u);
}

TEST(TensorBoard, EventReadsBack) {
  const std::string file =
      tensorboard_header(1.5) +
      tensorboard_record(
          {.wall_time = 2.5, .step = 1 << 20, .scalars = {{"a/b", 0.5f}, {"c", -1e30f}}, .file_version = {}});
  const auto events = read_tensorboard(file);
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].file_version, "brain.Event:2");
  EXPECT_EQ(events[0].wall_time, 1.5);
  EXPECT_EQ(events[1].wall_time, 2.5);
  EXPECT_EQ(events[1].step, 1 << 20);
  EXPECT_EQ(events[1].scalars, (TensorBoardScalars{{"a/b", 0.5f}, {"c", -1e30f}}));
}

TEST(TensorBoard, CutOrDamagedRecordsEndTheFile) {
  const std::string first = tensorboard_header(1.5);
  const std::string file =
      first + tensorboard_record({.step = 3, .scalars = {{"a", 1.f}}, .file_version = {}});
  for (size_t size = 0; size < file.size(); ++size)
    EXPECT_EQ(read_tensorboard(file.substr(0, size)).size(), size < first.size() ? 0u : 1u);
  for (size_t i = 0; i < file.size(); ++i) {
    std::string damaged = file;
    damaged[i] ^= 0x10;
    EXPECT_EQ(read_tensorboard(damaged).size(), i < first.size() ? 0u : 1u);
  }
}

TEST(EventLog, WritesBothFiles) {
  const TemporaryFolder folder;
  EventLog log(folder.path(), 0);
  log.add("train", 10, {{"loss", 2.5}, {"epoch", 1}, {"skipped", true}, {"note", "a \"b\""}});
  log.add("dev", 10, {{"bleu", 30.25f}});
  log.add("note", 10, {{"text", "no numbers"}});

  const std::string text = read_file(folder.path("log.jsonl"));
  const auto line = nlohmann::json::parse(text.substr(0, text.find('\n')));
  EXPECT_EQ(line["event"], "train");
  EXPECT_EQ(line["update"], 10);
  EXPECT_EQ(line["loss"], 2.5);
  EXPECT_EQ(line["epoch"], 1);
  EXPECT_EQ(line["skipped"], true);
  EXPECT_EQ(line["note"], "a \"b\"");
  EXPECT_GT(line["time"], 1.6e9);

  const auto events = read_tensorboard(read_file(tensorboard_path(folder)));
  ASSERT_EQ(events.size(), 3u);
  EXPECT_EQ(events[0].file_version, "brain.Event:2");
  EXPECT_EQ(events[1].scalars, (TensorBoardScalars{{"train/loss", 2.5f}, {"train/epoch", 1.f}}));
  EXPECT_EQ(events[2].scalars, (TensorBoardScalars{{"dev/bleu", 30.25f}}));
}

TEST(EventLog, ResumingCutsBackToTheCheckpoint) {
  const TemporaryFolder folder;
  {
    EventLog log(folder.path(), 0);
    for (int64_t update = 1; update <= 6; ++update) log.add("train", update, {{"loss", 1.0}});
  }
  {
    EventLog log(folder.path(), 4);
    EXPECT_EQ(logged_updates(folder), (std::vector<int64_t>{1, 2, 3, 4}));
    EXPECT_EQ(shown_updates(folder), (std::vector<int64_t>{1, 2, 3, 4}));
    log.add("train", 5, {{"loss", 1.0}});
    log.sync();
  }
  EXPECT_EQ(logged_updates(folder), (std::vector<int64_t>{1, 2, 3, 4, 5}));
  EXPECT_EQ(shown_updates(folder), (std::vector<int64_t>{1, 2, 3, 4, 5}));
  const EventLog from_the_start(folder.path(), 0);
  EXPECT_TRUE(logged_updates(folder).empty());
  EXPECT_TRUE(shown_updates(folder).empty());
}

TEST(EventLog, WhatIsThereOfTheUpdateResumedFromIsNotAddedAgain) {
  const TemporaryFolder folder;
  {
    EventLog log(folder.path(), 0);
    log.add("update", 3, {{"loss", 1.0}});
    log.add("update", 4, {{"loss", 1.0}});
    log.add("validation", 4, {{"loss", 1.0}});
  }
  EventLog log(folder.path(), 4);
  log.add("validation", 4, {{"loss", 1.0}});
  log.add("update", 5, {{"loss", 1.0}});
  log.add("validation", 5, {{"loss", 1.0}});
  EXPECT_EQ(logged_updates(folder), (std::vector<int64_t>{3, 4, 4, 5, 5}));
  EXPECT_EQ(shown_updates(folder), (std::vector<int64_t>{3, 4, 4, 5, 5}));
}

TEST(EventLog, HalfWrittenEndIsCut) {
  const TemporaryFolder folder;
  {
    EventLog log(folder.path(), 0);
    log.add("train", 1, {{"loss", 1.0}});
  }
  FileAppender(folder.path("log.jsonl")).append("{\"event\":\"train\",\"update\":2,\"lo");
  FileAppender(tensorboard_path(folder)).append("\x10\0\0");
  EventLog log(folder.path(), 9);
  log.add("train", 9, {{"loss", 1.0}});
  EXPECT_EQ(logged_updates(folder), (std::vector<int64_t>{1, 9}));
  EXPECT_EQ(shown_updates(folder), (std::vector<int64_t>{1, 9}));
}

TEST(EventLog, UpdatesMayNotFall) {
  const TemporaryFolder folder;
  EventLog log(folder.path(), 5);
  EXPECT_THROW(log.add("train", 4, {{"loss", 1.0}}), Error);
}

}  // namespace
}  // namespace heed
