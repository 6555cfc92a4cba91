// What holds for heed whatever the command: its help, and options that would do nothing.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "tests/support/process.h"

namespace heed::test {
namespace {

TEST(Commands, HelpIsACommandToo) {
  const std::string all = run_heed({"--help"}).out;
  EXPECT_NE(all.find("Usage: heed COMMAND"), std::string::npos) << all;
  const std::pair<std::vector<std::string>, std::vector<std::string>> same[] = {
      {{"help"}, {"--help"}},
      {{"help", "help"}, {"--help"}},
      {{"help", "translate"}, {"translate", "--help"}},
      {{"help", "train", "model"}, {"train", "--help", "model"}},
      {{"help", "bench", "train"}, {"bench", "train", "--help"}}};
  for (const auto& [words, option] : same) {
    const Result result = run_heed(words);
    EXPECT_EQ(result.code, 0) << result.errors;
    EXPECT_EQ(result.out, run_heed(option).out);
  }
  const Result unknown = run_heed({"help", "trian"});
  EXPECT_EQ(unknown.code, 2);
  EXPECT_NE(unknown.errors.find("Did you mean train?"), std::string::npos) << unknown.errors;
}

TEST(Commands, HelpThatCannotBeWrittenIsAnError) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"--help"}, {"translate", "--help"}, {"train", "--help", "model"}}) {
    Process process(arguments, "/dev/null", "/dev/full");
    EXPECT_EQ(process.wait(), 2);
    EXPECT_NE(process.errors().find("standard output: cannot be written"), std::string::npos)
        << process.errors();
  }
}

TEST(Commands, BenchNeedsUpdatesToTime) {
  const Result result = run_heed({"bench", "train", "--updates", "8", "--skip", "8"});
  EXPECT_EQ(result.code, 2);
  EXPECT_NE(result.errors.find("the clock starts after --skip 8 updates"), std::string::npos)
      << result.errors;
}

TEST(Commands, BenchNeedsWordsToWrite) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"bench", "decode", "--vocabulary", "3"},
        {"bench", "decode", "--vocabulary", "8", "--beam", "9"}}) {
    const Result result = run_heed(arguments);
    EXPECT_EQ(result.code, 2);
    EXPECT_NE(result.errors.find("--vocabulary " + arguments[3] + ": expected at least 4 words"),
              std::string::npos)
        << result.errors;
  }
}

TEST(Commands, OptionsThatNothingReadsAreRefused) {
  const TemporaryFolder folder;
  write_file(folder.path("text"), "a b\n");
  const std::string unread = ", and none of these is asked for; leave it out";
  const std::pair<std::vector<std::string>, std::string> wrong[] = {
      {{"--metric", "bleu", "--ter-no-punct"}, "--ter-no-punct is for --metric ter" + unread},
      {{"--metric", "chrf", "--tokenize", "intl"}, "--tokenize is for --metric bleu" + unread},
      {{"--metric", "accuracy,f1", "--lowercase"},
       "--lowercase is for --metric bleu, chrf, chrf++, wer, per" + unread},
      {{"--metric", "bleu", "--pronunciations"}, "--pronunciations is for --metric wer, per" + unread},
      {{"--metric", "ter", "--ter-asian-support"},
       "--ter-asian-support does something with --ter-normalized or --ter-no-punct only"},
  };
  const auto evaluate = [&](const std::vector<std::string>& options) {
    std::vector<std::string> arguments = {"evaluate", "-i", folder.path("text"), "-r", folder.path("text")};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return run_heed(arguments);
  };
  for (const auto& [options, expected] : wrong) {
    const Result result = evaluate(options);
    EXPECT_EQ(result.code, 2) << options.back();
    EXPECT_EQ(result.errors, "heed: " + expected + "\n");
  }
  EXPECT_EQ(evaluate({"--metric", "bleu,chrf", "--tokenize", "intl", "--chrf-whitespace"}).code, 0);
  EXPECT_EQ(evaluate({"--metric", "ter", "--ter-asian-support", "--ter-normalized"}).code, 0);
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"bench", "train", "--model", "classifier", "--tokens", "5"},
        {"bench", "train", "--model", "luong", "--warmup", "5"},
        {"bench", "train", "--model", "tiny", "--batch", "5"}}) {
    const Result result = run_heed(arguments);
    EXPECT_EQ(result.code, 2);
    EXPECT_NE(result.errors.find("does nothing with this --model"), std::string::npos) << result.errors;
  }
}

TEST(Commands, EachWorkloadOfBenchHasItsOwnOptions) {
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"bench", "train", "--beam", "3"}, {"bench", "decode", "--updates", "3"}}) {
    const Result result = run_heed(arguments);
    EXPECT_EQ(result.code, 2);
    EXPECT_NE(result.errors.find("unknown option " + arguments[2]), std::string::npos) << result.errors;
  }
}

// The models that docs/performance.md times, but for the largest.
TEST(Commands, BenchPrintsOneLine) {
  const TemporaryFolder folder;
  for (const char* name : {"train.en", "train.de", "valid.en", "valid.de"})
    write_file(folder.path(name), "a b c\nd e\n");
  write_file(folder.path("train.tsv"), "pos\ta b c\nneg\td e\n");
  struct Workload {
    std::vector<std::string> arguments, models, numbers;
  };
  const Workload workloads[] = {
      {{"train", "--data", folder.path(), "--updates", "2", "--skip", "1"},
       {"tiny", "bahdanau", "luong", "classifier"},
       {"target_tokens_per_s", "sentences_per_s", "loss", "peak_rss_mb"}},
      {{"decode", "--vocabulary", "20", "--sentences", "2", "--runs", "1", "--steps", "2"},
       {"tiny", "bahdanau", "luong"},
       {"output_tokens_per_s", "hypothesis_tokens_per_s", "ratio_to_forward", "peak_rss_mb"}}};
  for (const auto& [of_workload, models, numbers] : workloads) {
    for (const std::string& model : models) {
      std::vector<std::string> arguments = {"bench"};
      arguments.insert(arguments.end(), of_workload.begin(), of_workload.end());
      arguments.insert(arguments.end(), {"--model", model});
      const Result result = run_heed(arguments);
      ASSERT_EQ(result.code, 0) << result.errors;
      EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 1) << result.out;
      const nlohmann::json said = nlohmann::json::parse(result.out);
      EXPECT_TRUE(said.at("engine").get<std::string>().starts_with("heed ")) << result.out;
      EXPECT_EQ(said.at("model"), model);
      for (const std::string& number : numbers) EXPECT_GT(said.at(number).get<double>(), 0.0) << result.out;
    }
  }
}

TEST(Commands, MetricsAddUp) {
  const TemporaryFolder folder;
  write_file(folder.path("text"), "a b c d e\n");
  const auto evaluate = [&](const std::vector<std::string>& metrics) {
    std::vector<std::string> arguments = {"evaluate", "-i", folder.path("text"), "-r", folder.path("text")};
    arguments.insert(arguments.end(), metrics.begin(), metrics.end());
    return run_heed(arguments).out;
  };
  const std::string both = evaluate({"--metric", "bleu,chrf"});
  EXPECT_NE(both.find("chrF"), std::string::npos) << both;
  EXPECT_EQ(evaluate({"--metric", "bleu", "--metric", "chrf"}), both);
  EXPECT_EQ(evaluate({}), evaluate({"--metric", "bleu"}));
}

}  // namespace
}  // namespace heed::test
