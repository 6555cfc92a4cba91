#include "heed/view/run_log.h"

#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>

#include "heed/base/error.h"
#include "heed/base/file.h"
#include "tests/support/temporary_folder.h"

namespace heed::view {
namespace {

class RunLogFile : public testing::Test {
 protected:
  RunLog read(const std::string& contents) {
    write_file(path_, contents);
    return read_run_log(path_);
  }
  std::string error(const std::string& contents) {
    try {
      read(contents);
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  }

  TemporaryFolder folder_;
  std::string path_ = folder_.path("log.jsonl");
};

TEST_F(RunLogFile, ReadsUpdatesValidationsAndSamples) {
  const RunLog log = read(
      "{\"event\":\"begin\"}\n"
      "{\"event\":\"update\",\"update\":100,\"epoch\":1,\"loss\":4.5,\"learning_rate\":1e-3,\"target_tokens_"
      "per_s\":38000,"
      "\"seconds\":12.5}\n\n"
      "{\"event\":\"update\",\"update\":200,\"loss\":null}\n"
      "{\"event\":\"validation\",\"update\":200,\"dev_loss\":3.5,\"bleu\":12.25,\"samples\":[{\"source\":"
      "\"a\",\"output\":"
      "\"b\"}]}\n");
  ASSERT_EQ(log.updates.size(), 2u);
  EXPECT_EQ(log.updates[0].update, 100);
  EXPECT_EQ(log.updates[0].loss, 4.5);
  EXPECT_EQ(log.updates[0].tokens_per_s, 38000);
  EXPECT_TRUE(std::isnan(log.updates[1].loss));
  ASSERT_EQ(log.validations.size(), 1u);
  EXPECT_EQ(log.validations[0].metrics, (std::map<std::string, double>{{"bleu", 12.25}}));
  ASSERT_EQ(log.validations[0].samples.size(), 1u);
  EXPECT_EQ(log.validations[0].samples[0].output, "b");
  EXPECT_EQ(log.validations[0].samples[0].target, "");
  EXPECT_TRUE(log.notes.empty());
}

TEST_F(RunLogFile, ACutLastLineIsLeftOutWithANote) {
  const RunLog log = read("{\"event\":\"update\",\"update\":1,\"loss\":2}\n{\"event\":\"update\",\"upd");
  EXPECT_EQ(log.updates.size(), 1u);
  ASSERT_EQ(log.notes.size(), 1u);
  EXPECT_NE(log.notes[0].find(":2: the last line is cut short"), std::string::npos) << log.notes[0];
}

TEST_F(RunLogFile, BrokenLinesAreErrorsWithFileAndLine) {
  EXPECT_NE(error("{\"event\":\"x\"}\n{broken}\n").find(path_ + ":2: expected a JSON object"),
            std::string::npos);
  EXPECT_NE(error("[1]\n").find(":1: expected a JSON object"), std::string::npos);
  EXPECT_NE(error("{\"event\":\"update\"}\n").find(":1: \"update\" must be a whole number"),
            std::string::npos);
  EXPECT_NE(error("{\"event\":\"update\",\"update\":1,\"loss\":\"low\"}\n").find("\"loss\" must be a number"),
            std::string::npos);
  EXPECT_NE(error("{\"event\":\"validation\",\"update\":1,\"samples\":[1]}\n").find("\"samples\" must be"),
            std::string::npos);
}

TEST_F(RunLogFile, HostileLinesNeitherCrashNorHang) {
  EXPECT_NE(error(std::string(200000, '[') + "\n"), "no error");
  EXPECT_NE(error("{\"a\":" + std::string(100000, '{') + "\n"), "no error");
  EXPECT_NE(error("\xff\xfe\n"), "no error");
  EXPECT_THROW(read_run_log(path_ + ".missing"), InputError);
}

// It is read line by line: what is wrong with a line is told whatever the length of the rest, here a hole.
TEST_F(RunLogFile, ALogMayBeOfAnyLength) {
  write_file(path_, "{\"event\":\"update\",\"update\":1,\"loss\":2}\n{broken}\n");
  std::filesystem::resize_file(path_, (uintmax_t{1} << 30) + 1);
  try {
    read_run_log(path_);
    FAIL() << "no error";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find(path_ + ":2: expected a JSON object"), std::string::npos)
        << error.what();
  }
}

TEST_F(RunLogFile, WhatAResumedRunRepeatsReplacesWhatItHadDone) {
  const RunLog log = read(
      "{\"event\":\"update\",\"update\":100,\"loss\":5}\n{\"event\":\"update\",\"update\":200,\"loss\":4}\n"
      "{\"event\":\"validation\",\"update\":200,\"bleu\":1}\n{\"event\":\"update\",\"update\":300,\"loss\":3}"
      "\n"
      "{\"event\":\"update\",\"update\":200,\"loss\":4.5}\n{\"event\":\"validation\",\"update\":200,\"bleu\":"
      "2}\n");
  ASSERT_EQ(log.updates.size(), 2u);
  EXPECT_EQ(log.updates[1].loss, 4.5);
  ASSERT_EQ(log.validations.size(), 1u);
  EXPECT_EQ(log.validations[0].metrics.at("bleu"), 2);
}

}  // namespace
}  // namespace heed::view
