// What holds for heed whatever the command: its help, and options that would do nothing.
#include <gtest/gtest.h>

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
      {{"help", "train", "model"}, {"train", "--help", "model"}}};
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
