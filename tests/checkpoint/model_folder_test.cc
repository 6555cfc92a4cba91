#include "heed/checkpoint/model_folder.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "heed/base/error.h"
#include "heed/base/file.h"
#include "tests/support/temporary_folder.h"

namespace heed {
namespace {

std::string error_of(const auto& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TensorViews tensor(const std::string& name, const std::string& bytes) {
  return {{name, {"U8", {static_cast<int64_t>(bytes.size())}, std::as_bytes(std::span(bytes))}}};
}

std::string text_of(const TensorView& view) {
  return {reinterpret_cast<const char*>(view.bytes.data()), view.bytes.size()};
}

// All checkpoints that are there are needed, unless told otherwise.
void save(const ModelFolder& folder, int64_t update, const std::string& weights, bool best = false,
          const std::optional<std::vector<int64_t>>& needed = {}) {
  folder.save_checkpoint({.stamp = {.precision = "f32", .processor = "avx2", .update = update},
                          .weights = tensor("w", weights),
                          .parts = {{"optimizer", tensor("m", "moments of " + weights)}},
                          .state = "{\"of\":\"" + weights + "\"}"},
                         best, needed.value_or(folder.checkpoints()));
}

// True if every part of the checkpoint is of the same saving.
bool is_whole(const OpenedCheckpoint& checkpoint) {
  const std::string weights = text_of(checkpoint.weights.at("w"));
  return text_of(checkpoint.part("optimizer").at("m")) == "moments of " + weights &&
         checkpoint.state == "{\"of\":\"" + weights + "\"}";
}

TEST(ModelFolder, KeepsConfigurationBlobsAndWeights) {
  const TemporaryFolder temporary;
  const ModelFolder made = ModelFolder::create(temporary.path("a/run"));
  made.write_config("seed: 1\n");
  made.write_blob("source.vocab", "a\nb\n");
  const std::map<std::string, double> dev = {{"loss", 0.1}, {"bleu", 30.9}};
  made.write_weights(tensor("w", "1234"),
                     {.precision = "bf16", .processor = "amx", .update = 7, .examples = 2100, .dev = dev});
  const ModelFolder folder = ModelFolder::open(temporary.path("a/run"));
  EXPECT_EQ(folder.read_config(), "seed: 1\n");
  EXPECT_EQ(folder.read_blob("source.vocab"), "a\nb\n");
  EXPECT_TRUE(folder.has_blob("source.vocab"));
  EXPECT_FALSE(folder.has_blob("target.vocab"));
  const SafetensorsFile weights = folder.read_weights();
  EXPECT_EQ(text_of(weights.at("w")), "1234");
  const ModelStamp stamp = ModelStamp::of(weights);
  EXPECT_EQ(stamp.format, kModelFormat);
  EXPECT_EQ(stamp.precision, "bf16");
  EXPECT_EQ(stamp.processor, "amx");
  EXPECT_EQ(stamp.update, 7);
  EXPECT_EQ(stamp.examples, 2100);
  EXPECT_EQ(stamp.dev, dev);
}

TEST(ModelFolder, MissingPiecesAreNamed) {
  const TemporaryFolder temporary;
  const std::string path = temporary.path("run");
  EXPECT_EQ(error_of([&] { ModelFolder::open(path); }), path + ": there is no such model folder");
  const ModelFolder folder = ModelFolder::create(path);
  EXPECT_EQ(error_of([&] { ModelFolder::open(path); }), path + ": not a model folder: it has no config.yaml");
  folder.write_config("");
  EXPECT_EQ(error_of([&] { ModelFolder::open(folder.file("config.yaml")); }),
            path + "/config.yaml: a file, expected a model folder");
  EXPECT_EQ(error_of([&] { folder.read_weights(); }),
            path + ": no weights are here yet; the training has to reach its first validation");
  save(folder, 12, "x");
  EXPECT_EQ(
      error_of([&] { folder.read_weights(); }),
      path + ": no weights are here yet; the training has to reach its first validation, or heed average " +
          path + " makes them of its checkpoints");
  EXPECT_EQ(error_of([&] { folder.read_blob("vocab"); }), path + ": the model folder lacks vocab");
  EXPECT_EQ(error_of([&] { folder.open_checkpoint(5); }),
            path + "/checkpoints/000005: there is no such checkpoint; there is 12");
  remove_tree(path + "/checkpoints/000012/state.json");
  EXPECT_EQ(error_of([&] { folder.open_checkpoint(12); }),
            path + "/checkpoints/000012: the checkpoint lacks state.json");
}

TEST(ModelFolder, NewerFormatIsRefusedOnOpening) {
  const TemporaryFolder temporary;
  const std::string path = temporary.path("run");
  const ModelFolder folder = ModelFolder::create(path);
  folder.write_config("a key of the future: 1\n");
  folder.write_weights({}, {.format = 3, .heed_version = "9.1"});
  EXPECT_EQ(error_of([&] { ModelFolder::open(path); }),
            path + "/model.safetensors: written by a newer heed (\"9.1\"): format 3, this one reads up to 1");
  write_safetensors(path + "/model.safetensors", {});
  EXPECT_EQ(error_of([&] { ModelFolder::open(path); }),
            path + "/model.safetensors: not a heed model: its metadata has no heed.format");
}

TEST(ModelFolder, NamesCannotLeaveTheFolder) {
  const TemporaryFolder temporary;
  const ModelFolder folder = ModelFolder::create(temporary.path("run"));
  for (const char* name : {"", ".", "..", "../x", "a/b", ".hidden", "a b"})
    EXPECT_THROW(folder.write_blob(name, "x"), Error) << name;
}

TEST(ModelFolder, CheckpointReadsBack) {
  const TemporaryFolder temporary;
  const ModelFolder folder = ModelFolder::create(temporary.path("run"));
  EXPECT_EQ(folder.latest(), std::nullopt);
  EXPECT_EQ(folder.best(), std::nullopt);
  save(folder, 100, "first");
  save(folder, 1234567, "second");
  EXPECT_EQ(folder.checkpoints(), (std::vector<int64_t>{100, 1234567}));
  EXPECT_EQ(folder.latest(), 1234567);
  const OpenedCheckpoint checkpoint = folder.open_checkpoint(100);
  EXPECT_EQ(text_of(checkpoint.weights.at("w")), "first");
  EXPECT_EQ(checkpoint.stamp.update, 100);
  EXPECT_EQ(checkpoint.stamp.processor, "avx2");
  EXPECT_TRUE(is_whole(checkpoint));
  EXPECT_THROW(checkpoint.part("nothing"), InputError);
}

TEST(ModelFolder, SameUpdateIsReplaced) {
  const TemporaryFolder temporary;
  const ModelFolder folder = ModelFolder::create(temporary.path("run"));
  save(folder, 5, "old");
  save(folder, 5, "new");
  EXPECT_EQ(text_of(folder.open_checkpoint(5).weights.at("w")), "new");
  EXPECT_EQ(list_folder(temporary.path("run/checkpoints")), std::vector<std::string>{"000005"});
}

// As a crash leaves it on a file system that cannot exchange folders.
TEST(ModelFolder, WhatWasSetAsideComesBack) {
  const TemporaryFolder temporary;
  {
    const ModelFolder folder = ModelFolder::create(temporary.path("run"));
    save(folder, 5, "five", true);
    std::filesystem::rename(folder.file("checkpoints/000005"), folder.file("checkpoints/.tmp-000005-before"));
    create_folders(folder.file("checkpoints/.tmp-000005"));
  }
  const ModelFolder folder = ModelFolder::create(temporary.path("run"));
  EXPECT_EQ(folder.best(), 5);
  EXPECT_EQ(text_of(folder.open_checkpoint(5).weights.at("w")), "five");
  EXPECT_EQ(list_folder(folder.file("checkpoints")), (std::vector<std::string>{"000005", "best"}));

  std::filesystem::copy(folder.file("checkpoints/000005"), folder.file("checkpoints/.tmp-000005-before"));
  ModelFolder::create(temporary.path("run"));
  EXPECT_EQ(list_folder(folder.file("checkpoints")), (std::vector<std::string>{"000005", "best"}));
}

TEST(ModelFolder, KeepsWhatIsNeededTheLastAndTheBest) {
  const TemporaryFolder temporary;
  const ModelFolder folder = ModelFolder::create(temporary.path("run"));
  for (int64_t update = 1; update <= 8; ++update) save(folder, update, "x", update == 3, {{5, 6, 99}});
  EXPECT_EQ(folder.checkpoints(), (std::vector<int64_t>{3, 5, 6, 8}));
  EXPECT_EQ(folder.best(), 3);
  save(folder, 9, "x", true, {{6}});
  EXPECT_EQ(folder.checkpoints(), (std::vector<int64_t>{6, 9}));
  EXPECT_EQ(folder.best(), 9);
}

TEST(ModelFolder, RemovesOnlyWhatItBegan) {
  const TemporaryFolder temporary;
  const std::string path = temporary.path("run");
  create_folders(path + "/checkpoints/.tmp-mine");
  create_folders(path + "/checkpoints/.tmp-000007");
  write_file(path + "/checkpoints/notes", "theirs");
  ModelFolder::create(path);
  EXPECT_EQ(list_folder(path + "/checkpoints"), (std::vector<std::string>{".tmp-mine", "notes"}));
  const std::string fresh = temporary.path("fresh");
  ModelFolder::create(fresh);
  EXPECT_EQ(list_folder(fresh), std::vector<std::string>());
}

TEST(ModelFolder, BrokenBestIsNamed) {
  const TemporaryFolder temporary;
  const ModelFolder folder = ModelFolder::create(temporary.path("run"));
  create_folders(folder.file("checkpoints"));
  write_file(folder.file("checkpoints/best"), "x\n");
  EXPECT_NE(error_of([&] { folder.best(); }).find("checkpoints/best: found \"x\""), std::string::npos);
  write_file(folder.file("checkpoints/best"), "000007\n");
  EXPECT_NE(error_of([&] { folder.best(); }).find("names checkpoint 7, which is not there"),
            std::string::npos);
}

TEST(ModelFolder, FailedSaveLeavesTheOldOneAndNoRest) {
  const TemporaryFolder temporary;
  const ModelFolder folder = ModelFolder::create(temporary.path("run"));
  save(folder, 5, "old");
  const std::string bytes = "abcd";
  CheckpointParts parts{.stamp = {.update = 5},
                        .weights = tensor("w", bytes),
                        .parts = {{"optimiser", {{"m", {"F32", {2}, std::as_bytes(std::span(bytes))}}}}}};
  EXPECT_THROW(folder.save_checkpoint(parts, false, {}), Error);
  EXPECT_TRUE(is_whole(folder.open_checkpoint(5)));
  EXPECT_EQ(list_folder(temporary.path("run/checkpoints")).size(), 1u);
}

TEST(ModelFolder, RenamedCheckpointIsRefused) {
  const TemporaryFolder temporary;
  const ModelFolder folder = ModelFolder::create(temporary.path("run"));
  save(folder, 5, "x");
  std::filesystem::rename(folder.file("checkpoints/000005"), folder.file("checkpoints/000006"));
  EXPECT_NE(error_of([&] { folder.open_checkpoint(6); }).find("written at update 5"), std::string::npos);
}

// A process that saves without end is killed after a number of checkpoints, at whatever point it then is:
// each checkpoint that has its name must be whole, and one must be there.
TEST(ModelFolder, KilledAtAnyMomentLeavesWholeCheckpoints) {
  const TemporaryFolder temporary;
  for (int round = 0; round < 12; ++round) {
    int ready[2];
    ASSERT_EQ(::pipe(ready), 0);
    const pid_t child = ::fork();
    if (child == 0) {
      const ModelFolder folder = ModelFolder::create(temporary.path("run"));
      for (int64_t i = 0;; ++i) {
        save(folder, 1 + i % 5, std::string(static_cast<size_t>(1 + 5000 * (i % 7)), 'x'), i % 3 == 0,
             {{i % 5}});
        if (::write(ready[1], "x", 1) != 1) ::_exit(1);
      }
    }
    ::close(ready[1]);
    char byte = 0;
    for (int i = 0; i <= round; ++i) ASSERT_EQ(::read(ready[0], &byte, 1), 1);
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
    ::close(ready[0]);

    const ModelFolder folder = ModelFolder::create(temporary.path("run"));
    ASSERT_TRUE(folder.latest().has_value());
    for (const int64_t update : folder.checkpoints()) EXPECT_TRUE(is_whole(folder.open_checkpoint(update)));
    folder.best();
    for (const std::string& name : list_folder(folder.file("checkpoints")))
      EXPECT_EQ(name.find(".tmp"), std::string::npos) << name;
  }
}

}  // namespace
}  // namespace heed
