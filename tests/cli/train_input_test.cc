// What a user can get wrong when training: a message that names the place, exit code 2, and nothing left
// behind.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include <algorithm>
#include <filesystem>

#include "tests/support/process.h"
#include "tests/support/toy_task.h"

namespace heed::test {
namespace {

using Words = std::vector<std::string>;

struct Mistake {
  const char* name;
  Words set;                        // keys
  std::vector<const char*> expect;  // in the message
};

std::string with_line(const std::string& text, int number, const std::string& line) {
  size_t begin = 0;
  for (int i = 1; i < number; ++i) begin = text.find('\n', begin) + 1;
  return text.substr(0, begin) + line + text.substr(text.find('\n', begin));
}

void make_bad_files(const ToyTask& task) {
  const std::string target = read_file(task.path("target"));
  write_file(task.path("shorter"), target.substr(target.find('\n') + 1));
  write_file(task.path("not-utf8"), with_line(target, 5, "a \xff b"));
  write_file(task.path("nul"), with_line(target, 7, std::string("a\0b", 3)));
  write_file(task.path("long-line"), with_line(target, 9, std::string(1 << 20, 'a')));
  write_file(task.path("empty"), "");
  write_file(task.path("blank"), std::string(200, '\n'));
  write_file(task.path("columns"), "a\tb\na b\n");
}

class TrainInput : public testing::TestWithParam<Mistake> {};

TEST_P(TrainInput, IsRefusedWithItsPlace) {
  const ToyTask task;
  make_bad_files(task);
  const Result result = run_heed(task.train("out", GetParam().set));
  EXPECT_EQ(result.code, 2) << result.errors;
  for (const char* expected : GetParam().expect)
    EXPECT_NE(result.errors.find(expected), std::string::npos) << expected << " is not in: " << result.errors;
  EXPECT_FALSE(folder_exists(task.path("out")));
}

INSTANTIATE_TEST_SUITE_P(
    Mistakes, TrainInput,
    testing::Values(
        Mistake{"Length", {"data.train.target=shorter"}, {"/shorter has 199 lines", "/source has 200"}},
        Mistake{"Utf8", {"data.train.target=not-utf8"}, {"/not-utf8:5:", "byte 3 (0xff)"}},
        Mistake{"Nul", {"data.train.target=nul"}, {"/nul:7:", "NUL"}},
        Mistake{"LongLine", {"data.train.target=long-line"}, {"/long-line:9:", "1000000 bytes"}},
        Mistake{"Empty", {"data.train.target=empty", "data.train.source=empty"}, {"/empty", "empty"}},
        Mistake{"Blank", {"data.train.target=blank"}, {"nothing left of 200 lines", "200 skipped"}},
        Mistake{"Missing", {"data.train.target=nowhere"}, {"/nowhere", "No such file"}},
        Mistake{"Folder", {"data.train.target=."}, {"Is a directory"}},
        Mistake{"Columns",
                {"data.train.source=", "data.train.target=", "data.train.tsv=columns"},
                {"/columns:2:", "1 columns found, 2 expected"}},
        Mistake{"OneSide", {"data.train.target="}, {"/source", "two sides", "data.train.target"}},
        Mistake{"Dev", {"data.dev.source=nowhere", "data.dev.target=target"}, {"/nowhere", "No such file"}},
        Mistake{"Key", {"train.learing_rate=1"}, {"train.learing_rate", "Did you mean train.learning_rate?"}},
        Mistake{"Range", {"train.label_smoothing=3"}, {"train.label_smoothing", "between 0 and 0.99"}},
        Mistake{"Type", {"train.updates=many"}, {"train.updates", "\"many\"", "a whole number"}},
        Mistake{"Choice", {"train.schedule=cosin"}, {"train.schedule", "cosine"}},
        Mistake{"Heads", {"model.heads=3"}, {"model.width 16", "model.heads 3"}},
        Mistake{"Rotary",
                {"model.heads=16", "model.rotary=true"},
                {"model.rotary", "model.width 16", "heads of 1"}},
        Mistake{"Convolution", {"model.convolution=4"}, {"model.convolution 4", "no middle", "3 or 5"}},
        Mistake{"Positions",
                {"model.positions=learned", "model.max_positions=9"},
                {"data.max_source_length 512", "model.max_positions"}},
        Mistake{
            "Tying", {"text.shared=false"}, {"model.tying: all", "text.shared: true", "model.tying: target"}},
        Mistake{"TyingOfKinds", {"text.target_kind=characters"}, {"model.tying: all", "text.target_kind"}},
        Mistake{"Measure",
                {"train.guided_attention.measure=3", "train.guided_attention.layer=2"},
                {"train.guided_attention.measure"}},
        Mistake{"GuideOfALayer",
                {"train.guided_attention.weight=1", "train.guided_attention.layer=2"},
                {"train.guided_attention.layer 2"}},
        Mistake{"Pipe", {"data.train.target=/dev/null"}, {"/dev/null: a pipe or device", "to a file"}},
        Mistake{"Unread", {"train.batch_sentences=8"}, {"train.batch_sentences does nothing"}},
        Mistake{"OneSideOfItsOwn",
                {"data.train.target=", "text.shared=false", "model.tying=target"},
                {"/source", "two sides", "data.train.target"}},
        Mistake{"Label", {"text.target_kind=label"}, {"text.target_kind"}},
        Mistake{"Metric", {"train.metric=accuracy"}, {"train.metric", "loss, bleu, chrf or wer"}},
        Mistake{"Codes", {"text.kind=bpe"}, {"text.codes"}}),
    [](const auto& info) { return std::string(info.param.name); });

TEST(TrainConfiguration, WhatDoesNotFitAClassifier) {
  const ToyTask task;
  task.use_model("type: rnn_classifier, width: 8");
  for (const Mistake& mistake :
       {Mistake{"", {"train.guided_attention.measure=3"}, {"train.guided_attention", "leave them out"}},
        Mistake{"", {"model.output=sigmoid", "train.r_drop=1"}, {"train.r_drop", "model.output: softmax"}}}) {
    const Result result = run_heed(task.train("out", mistake.set));
    EXPECT_EQ(result.code, 2);
    for (const char* expected : mistake.expect)
      EXPECT_NE(result.errors.find(expected), std::string::npos) << result.errors;
    EXPECT_FALSE(folder_exists(task.path("out")));
  }
}

TEST(TrainConfiguration, ErrorsNameFileAndLine) {
  const ToyTask task;
  const std::string good = read_file(task.config());
  const std::pair<std::string, const char*> mistakes[] = {
      {good + "trian: {updates: 3}\n", "Did you mean train?"},
      {good + "train: [\n", "config.yaml:"},
      {good + "seed: {\xff}\n", "config.yaml:"},
      {std::string("\0\0\0", 3), "config.yaml"},
      {std::string(100000, '['), "config.yaml"},
      {"train: 7\n", "config.yaml:1"},
  };
  for (const auto& [text, expected] : mistakes) {
    write_file(task.config(), text);
    const Result result = run_heed(task.train("out"));
    EXPECT_EQ(result.code, 2) << result.errors;
    EXPECT_NE(result.errors.find(expected), std::string::npos) << expected << " is not in: " << result.errors;
    EXPECT_FALSE(folder_exists(task.path("out")));
  }
}

TEST(TrainFolder, WhereNothingCanBeWritten) {
  const ToyTask task;
  const Result under_a_file = run_heed(task.train("source/out"));
  EXPECT_EQ(under_a_file.code, 2);
  EXPECT_NE(under_a_file.errors.find("/source/out: the folder cannot be created"), std::string::npos)
      << under_a_file.errors;
  const Result a_file = run_heed(task.train("source"));
  EXPECT_EQ(a_file.code, 2) << a_file.errors;
}

// Files of other people that happen to lie in the folder.
TEST(TrainFolder, StrangersFilesStay) {
  const ToyTask task;
  create_folders(task.path("out/mine.tmp"));
  write_file(task.path("out/mine.tmp/precious"), "data");
  write_file(task.path("out/thesis.tmp"), "data");
  write_file(task.path("out/.heed-123-0.tmp"), "left by a crash");
  const Result result = run_heed(task.train("out", {"train.updates=1"}));
  EXPECT_EQ(result.code, 0) << result.errors;
  EXPECT_TRUE(file_exists(task.path("out/mine.tmp/precious")));
  EXPECT_TRUE(file_exists(task.path("out/thesis.tmp")));
  EXPECT_FALSE(file_exists(task.path("out/.heed-123-0.tmp")));
}

// What heed would write over is another's where nothing was trained yet.
TEST(TrainFolder, WhatWouldBeLostIsNamed) {
  const ToyTask task;
  for (const char* name : {"config.yaml", "log.jsonl", "events.out.tfevents.1"}) {
    const std::string out = std::string("of-") + name;
    create_folders(task.path(out));
    write_file(task.path(out + "/" + name), "data");
    const Result result = run_heed(task.train(out, {"train.updates=1"}));
    EXPECT_EQ(result.code, 2);
    EXPECT_NE(result.errors.find("/" + out + ": " + name + " is here"), std::string::npos) << result.errors;
    EXPECT_EQ(list_folder(task.path(out)), (Words{name}));
    EXPECT_EQ(read_file(task.path(out + "/" + name)), "data");
  }
}

// A folder of checkpoints may be another program's, or what a training left that failed over its data.
TEST(TrainFolder, AFolderOfCheckpointsDoesNotMakeATraining) {
  const ToyTask task;
  create_folders(task.path("out/checkpoints/.tmp-mine"));
  write_file(task.path("out/config.yaml"), "theirs");
  const Result result = run_heed(task.train("out", {"train.updates=1"}));
  EXPECT_EQ(result.code, 2);
  EXPECT_NE(result.errors.find("/out: config.yaml is here"), std::string::npos) << result.errors;
  EXPECT_EQ(read_file(task.path("out/config.yaml")), "theirs");
  EXPECT_TRUE(folder_exists(task.path("out/checkpoints/.tmp-mine")));
}

// Nor does the configuration of one, copied to begin another with and not to be lost.
TEST(TrainFolder, ACopiedConfigurationDoesNotMakeATraining) {
  const ToyTask task;
  ASSERT_EQ(run_heed(task.train("out", {"train.updates=1"})).code, 0);
  create_folders(task.path("copy"));
  const std::string mine = read_file(task.path("out/config.yaml")) + "# mine\n";
  write_file(task.path("copy/config.yaml"), mine);
  const Result result = run_heed({"train", task.path("copy/config.yaml"), "--out", task.path("copy")});
  EXPECT_EQ(result.code, 2);
  EXPECT_NE(result.errors.find("/copy: config.yaml is here"), std::string::npos) << result.errors;
  EXPECT_EQ(read_file(task.path("copy/config.yaml")), mine);
}

// The data themselves may have the name of what a training keeps of its text, as `labels` of a classifier.
TEST(TrainFolder, DataUnderANameOfItsOwnStay) {
  const ToyTask task;
  ASSERT_EQ(run_heed(task.train("out", {"train.updates=1"})).code, 0);
  const Words kept = {"config.yaml", "model.safetensors", "log.jsonl", "checkpoints", ".lock"};
  int tried = 0;
  for (const std::string& name : list_folder(task.path("out"))) {
    if (std::find(kept.begin(), kept.end(), name) != kept.end() || name.starts_with("events.")) continue;
    const std::string other = "with-" + name;
    create_folders(task.path(other));
    write_file(task.path(other + "/" + name), "data");
    const Result result = run_heed(task.train(other, {"train.updates=1"}));
    EXPECT_EQ(result.code, 2) << name;
    EXPECT_NE(result.errors.find(name + " is here"), std::string::npos) << result.errors;
    EXPECT_EQ(read_file(task.path(other + "/" + name)), "data");
    ++tried;
  }
  EXPECT_GE(tried, 1);
}

// As after `heed train ... 2>&1 | head`: what is told has no reader any more.
TEST(TrainFolder, ATrainingOutlivesTheReaderOfWhatItTells) {
  const ToyTask task;
  Words words = task.train("out", {"train.updates=20"});
  words.insert(words.begin(), HEED_BINARY_DIR "/heed");
  std::vector<char*> argv;
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  int told[2];
  ASSERT_EQ(::pipe(told), 0);
  ::close(told[0]);
  const pid_t child = ::fork();
  if (child == 0) {
    ::dup2(told[1], 1);
    ::dup2(told[1], 2);
    ::signal(SIGPIPE, SIG_DFL);
    ::execv(argv[0], argv.data());
    ::_exit(127);
  }
  ::close(told[1]);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  EXPECT_TRUE(file_exists(task.path("out/model.safetensors")));
}

// A training that a crash ended before its first checkpoint is begun anew, with --resume or without.
TEST(TrainFolder, ATrainingWithoutCheckpointsIsBegunAnew) {
  const ToyTask task;
  ASSERT_EQ(run_heed(task.train("out", {"train.updates=10"})).code, 0);
  const std::string model = read_file(task.path("out/model.safetensors"));
  for (const Words& more : {Words{}, Words{"--resume"}}) {
    remove_tree(task.path("out/checkpoints/000010"));
    remove_tree(task.path("out/checkpoints/best"));
    remove_tree(task.path("out/model.safetensors"));
    const Result result = run_heed(task.train("out", {"train.updates=10"}, more));
    EXPECT_EQ(result.code, 0) << result.errors;
    EXPECT_EQ(result.errors.find("there is nothing to go on with yet") != std::string::npos, !more.empty());
    EXPECT_TRUE(read_file(task.path("out/model.safetensors")) == model);
  }
}

TEST(TrainFolder, ModelWithoutCheckpointsIsNotTrainedOver) {
  const ToyTask task;
  ASSERT_EQ(run_heed(task.train("out", {"train.updates=1"})).code, 0);
  remove_tree(task.path("out/checkpoints"));
  const std::string model = read_file(task.path("out/model.safetensors"));
  for (const Words& more : {Words{}, Words{"--resume"}}) {
    const Result result = run_heed(task.train("out", {"train.updates=1"}, more));
    EXPECT_EQ(result.code, 2);
    EXPECT_NE(result.errors.find("a model is here"), std::string::npos) << result.errors;
  }
  EXPECT_TRUE(read_file(task.path("out/model.safetensors")) == model);
}

// The file size limit stands for a full disk: the checkpoint that did not fit is gone, the one before is
// whole.
TEST(TrainFolder, FullDisk) {
  const ToyTask task;
  ASSERT_EQ(run_heed(task.train("out", {"train.updates=10"})).code, 0);
  const std::string model = read_file(task.path("out/model.safetensors"));
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit small = before;
  small.rlim_cur = 8000;
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  const Result result = run_heed(task.train("out", {"train.updates=20"}, {"--resume"}));
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(result.code, 2);
  EXPECT_NE(result.errors.find("cannot be written: File too large"), std::string::npos) << result.errors;
  EXPECT_EQ(list_folder(task.path("out/checkpoints")), (Words{"000010", "best"}));
  EXPECT_TRUE(read_file(task.path("out/model.safetensors")) == model);
  EXPECT_EQ(run_heed(task.train("out", {"train.updates=20"}, {"--resume"})).code, 0);
}

// A file of pairs and nothing else: the defaults are a configuration.
TEST(TrainRun, PairsAreEnough) {
  const ToyTask task;
  std::string pairs;
  for (int i = 0; i < 300; ++i) pairs += fmt::format("one {} two {}\tzwei {} eins {}\n", i, i % 7, i % 7, i);
  write_file(task.path("pairs.tsv"), pairs);
  const std::vector<std::string> small = {"--set", "text.kind=words", "--set", "model.width=16",
                                          "--set", "model.layers=1",  "--set", "train.updates=2"};
  std::vector<std::string> arguments = {"train", task.path("pairs.tsv"), "--out", task.path("of-pairs")};
  arguments.insert(arguments.end(), small.begin(), small.end());
  const Result result = run_heed(arguments);
  EXPECT_EQ(result.code, 0) << result.errors;
  EXPECT_NE(result.errors.find("pairs.tsv: 285 of 300 lines"), std::string::npos) << result.errors;
  arguments.push_back("--resume");
  arguments.insert(arguments.end(), {"--set", "train.updates=3"});
  EXPECT_EQ(run_heed(arguments).code, 0);
}

// It would be runs/ itself, or what that lies in.
TEST(TrainRun, AModelFolderNeedsAName) {
  const ToyTask task;
  for (const char* name : {".yaml", "..yaml", "...yaml", ".tsv.gz"}) {
    write_file(task.path(name), read_file(task.config()));
    const Result refused = run_heed({"train", task.path(name)});
    EXPECT_EQ(refused.code, 2) << name;
    EXPECT_NE(refused.errors.find("name the model folder with --out"), std::string::npos) << refused.errors;
  }
}

TEST(TrainRun, LongSentencesAreSkippedAndCounted) {
  const ToyTask task;
  const Result skipped = run_heed(task.train("out", {"data.max_target_length=4", "train.updates=1"}));
  EXPECT_EQ(skipped.code, 0) << skipped.errors;
  EXPECT_NE(
      skipped.errors.find("skipped: longer than data.max_source_length or data.max_target_length (lines"),
      std::string::npos)
      << skipped.errors;
}

TEST(TrainRun, DivergenceStopsAndKeepsTheLastCheckpoint) {
  const ToyTask task;
  const auto wild = [](const std::string& updates) -> Words {
    return {"train.updates=" + updates, "train.learning_rate=100", "train.warmup=0",
            "train.schedule=constant"};
  };
  ASSERT_EQ(run_heed(task.train("out", wild("1"))).code, 0);
  const std::string model = read_file(task.path("out/model.safetensors"));
  const Result result = run_heed(task.train("out", wild("1000"), {"--resume"}));
  EXPECT_EQ(result.code, 1);
  for (const char* expected : {"update 2: training diverged", "the sentences of lines ",
                               "the checkpoint of update 1 is kept", "train.learning_rate"})
    EXPECT_NE(result.errors.find(expected), std::string::npos) << expected << " is not in: " << result.errors;
  EXPECT_EQ(list_folder(task.path("out/checkpoints")), (Words{"000001"}));
  EXPECT_TRUE(read_file(task.path("out/model.safetensors")) == model);
}

TEST(TrainRun, NoDevSentencesNoValidation) {
  const ToyTask task;
  const Result result = run_heed(task.train("out", {"data.held_out=0", "train.updates=20"}));
  EXPECT_EQ(result.code, 0) << result.errors;
  EXPECT_EQ(result.errors.find("nan"), std::string::npos) << result.errors;
  EXPECT_NE(result.errors.find("no sentence is held out"), std::string::npos) << result.errors;
  EXPECT_TRUE(file_exists(task.path("out/model.safetensors")));
  const Result more = run_heed(task.train("out", {"data.held_out=0", "train.updates=30"}, {"--resume"}));
  EXPECT_EQ(more.code, 0) << more.errors;
}

TEST(TrainRun, WordErrorRateIsMeasuredWhereItDecides) {
  const ToyTask task;
  for (const bool decides : {true, false}) {
    const std::string out = decides ? "wer" : "loss";
    const Result result = run_heed(task.train(out, {"train.updates=20", "train.metric=" + out}));
    EXPECT_EQ(result.code, 0) << result.errors;
    const std::string log = read_file(task.path(out + "/log.jsonl"));
    EXPECT_EQ(log.find("\"wer\":") != std::string::npos, decides) << log;
  }
}

TEST(TrainRun, TimeOverBeforeTheFirstValidation) {
  const ToyTask task;
  const Result result = run_heed(task.train("out", {"train.updates=1000000", "train.validate_every=1000000"},
                                            {"--minutes", "0.000001"}));
  EXPECT_EQ(result.code, 0) << result.errors;
  const Result translated = run_heed({"translate", task.path("out")}, task.path("source"));
  EXPECT_EQ(translated.code, 0) << translated.errors;
  EXPECT_EQ(std::count(translated.out.begin(), translated.out.end(), '\n'), 200);
}

}  // namespace
}  // namespace heed::test
