// A training that was stopped, however it was stopped, and resumed ends in the same bytes as one that was
// not.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <functional>
#include <nlohmann/json.hpp>
#include <set>

#include "heed/checkpoint/model_folder.h"
#include "tests/support/process.h"
#include "tests/support/toy_task.h"

namespace heed::test {
namespace {

using Words = std::vector<std::string>;

const Words kThreads[] = {{"--threads", "1"}, {"--threads", "2"}, {"--threads", "3"}};

// All that training computes: the model, and of every checkpoint weights and optimiser.
std::map<std::string, std::string> results(const std::string& folder) {
  std::map<std::string, std::string> files = {{"model", read_file(folder + "/model.safetensors")}};
  for (const std::string& checkpoint : list_folder(folder + "/checkpoints")) {
    const std::string path = folder + "/checkpoints/" + checkpoint;
    if (!folder_exists(path)) {
      files[checkpoint] = read_file(path);
      continue;
    }
    for (const char* part : {"/weights.safetensors", "/optimiser.safetensors"})
      files[checkpoint + part] = read_file(path + part);
  }
  return files;
}

void expect_same(const std::map<std::string, std::string>& expected,
                 const std::map<std::string, std::string>& found) {
  for (const auto& [name, bytes] : expected) {
    ASSERT_TRUE(found.contains(name)) << name;
    EXPECT_TRUE(found.at(name) == bytes) << name << " differs";
  }
  EXPECT_EQ(found.size(), expected.size());
}

// The updates that the log tells of, event by event.
std::vector<int64_t> logged(const std::string& folder, const std::string& event) {
  std::vector<int64_t> updates;
  std::istringstream log(read_file(folder + "/log.jsonl"));
  for (std::string line; std::getline(log, line);) {
    const auto json = nlohmann::json::parse(line, nullptr, false);
    if (json.is_object() && json["event"] == event) updates.push_back(json["update"]);
  }
  return updates;
}

int64_t latest(const std::string& folder) {
  int64_t found = 0;
  if (folder_exists(folder + "/checkpoints"))
    for (const std::string& name : list_folder(folder + "/checkpoints"))
      if (name[0] >= '0' && name[0] <= '9') found = std::stoll(name);
  return found;
}

bool is_writing(const std::string& folder, const std::string& where, const std::string& what) {
  if (!folder_exists(folder + where)) return false;
  const Words names = list_folder(folder + where);
  return std::any_of(names.begin(), names.end(),
                     [&](const std::string& name) { return name.find(what) != name.npos; });
}

// Starts the training again and again, kills it when `moment` (asked as often as possible, with how often it
// was asked) says so, and at last lets it end. Returns how many times it was killed.
int train_with_kills(const ToyTask& task, const Words& set,
                     const std::vector<std::function<bool(const std::string&, int64_t)>>& moments) {
  const std::string folder = task.path("killed");
  int kills = 0;
  for (size_t i = 0; i < moments.size(); ++i) {
    Words more = kThreads[i % 3];
    more.push_back("--resume");
    Process training(task.train("killed", set, more));
    int64_t asked = 0;
    while (training.running() && !moments[i](folder, asked)) ++asked;
    training.send(SIGKILL);
    const int code = training.wait();
    if (code == 0) return kills;
    EXPECT_EQ(code, 128 + SIGKILL) << training.errors();
    ++kills;
    if (!file_exists(folder + "/log.jsonl")) continue;
    const std::vector<int64_t> updates = logged(folder, "update");
    if (!updates.empty()) {
      EXPECT_LE(updates.back() - latest(folder), 10);
    }
  }
  const Result last = run_heed(task.train("killed", set, {"--resume"}));
  EXPECT_EQ(last.code, 0) << last.errors;
  return kills;
}

TEST(Resume, ThreadsAndRunsGiveTheSameBytes) {
  const ToyTask task;
  ASSERT_EQ(run_heed(task.train("one", {}, kThreads[0])).code, 0);
  ASSERT_EQ(run_heed(task.train("again", {}, kThreads[0])).code, 0);
  ASSERT_EQ(run_heed(task.train("two", {}, kThreads[1])).code, 0);
  ASSERT_EQ(run_heed(task.train("three", {}, kThreads[2])).code, 0);
  const auto expected = results(task.path("one"));
  for (const char* other : {"again", "two", "three"}) expect_same(expected, results(task.path(other)));
}

TEST(Resume, KilledAtRandomMoments) {
  const ToyTask task;
  ASSERT_EQ(run_heed(task.train("whole", {}, kThreads[0])).code, 0);
  std::vector<std::function<bool(const std::string&, int64_t)>> moments;
  for (uint64_t i = 0; i < 10; ++i) {
    const auto updates = static_cast<size_t>(1 + uniform_below(5, i, 12));  // since the start of the process
    moments.push_back([updates, first = int64_t{-1}](const std::string& folder, int64_t) mutable {
      if (!file_exists(folder + "/log.jsonl")) return false;
      const std::vector<int64_t> seen = logged(folder, "update");
      if (first < 0) first = latest(folder);
      return !seen.empty() && seen.back() >= first + static_cast<int64_t>(updates);
    });
  }
  EXPECT_GE(train_with_kills(task, {}, moments), 3);
  expect_same(results(task.path("whole")), results(task.path("killed")));
  EXPECT_EQ(logged(task.path("whole"), "update"), logged(task.path("killed"), "update"));
  EXPECT_EQ(logged(task.path("whole"), "validation"), logged(task.path("killed"), "validation"));
}

TEST(Resume, KilledWhileWriting) {
  const ToyTask task;
  ASSERT_EQ(run_heed(task.train("whole", {}, kThreads[0])).code, 0);
  std::vector<std::function<bool(const std::string&, int64_t)>> moments;
  // What lasts a moment is missed now and then where other work runs; the kill then comes with the checkpoint
  // of update `at_last`.
  const auto writing = [](const std::string& where, const std::string& what, int64_t at_last) {
    return [=](const std::string& folder, int64_t) {
      return is_writing(folder, where, what) || latest(folder) >= at_last;
    };
  };
  moments.push_back([](const std::string& folder, int64_t) { return folder_exists(folder); });
  moments.push_back(writing("", "vocabulary", 10));
  moments.push_back(writing("", "config.yaml", 10));
  // The first checkpoint is half there, then whole but not yet marked as the best, then not yet the model.
  moments.push_back(writing("/checkpoints", ".tmp-", 10));
  moments.push_back(writing("/checkpoints", "000010", 10));
  moments.push_back(writing("/checkpoints", "000020", 20));
  moments.push_back(writing("/checkpoints", ".tmp-", 50));
  EXPECT_GE(train_with_kills(task, {}, moments), 5);
  expect_same(results(task.path("whole")), results(task.path("killed")));
}

// What changes from update to update and what is drawn goes on where it stopped.
TEST(Resume, OptionsOfTheLossGoOn) {
  const Words set = {"train.guided_attention.weight=2", "train.guided_attention.half_life=20",
                     "train.scheduled_sampling.schedule=exponential", "train.scheduled_sampling.k=0.97",
                     "train.scheduled_sampling.sample=true"};
  for (const char* const model : {"width: 16, layers: 1, heads: 2, feed_forward: 16",
                                  "width: 16, layers: 1, heads: 2, feed_forward: 16, normalisation: batch",
                                  "type: rnn, width: 16, embedding: 12"}) {
    const ToyTask task;
    task.use_model(model);
    ASSERT_EQ(run_heed(task.train("whole", set, kThreads[0])).code, 0);
    Words half = set;
    half.push_back("train.updates=30");
    ASSERT_EQ(run_heed(task.train("stopped", half, kThreads[1])).code, 0);
    ASSERT_EQ(run_heed(task.train("stopped", set, {"--resume"})).code, 0);
    expect_same(results(task.path("whole")), results(task.path("stopped")));
  }
}

// A crash between the last checkpoint and the removal of those before it.
TEST(Resume, OldCheckpointsAreRemovedAtLast) {
  const ToyTask task;
  const std::string checkpoints = task.path("whole/checkpoints/");
  ASSERT_EQ(run_heed(task.train("whole", {"train.updates=20", "train.average=1"})).code, 0);
  const auto expected = results(task.path("whole"));
  create_folders(checkpoints + "000010");
  for (const std::string& name : list_folder(checkpoints + "000020"))
    write_file(checkpoints + "000010/" + name, read_file(checkpoints + "000020/" + name));
  ASSERT_EQ(run_heed(task.train("whole", {"train.updates=20", "train.average=1"}, {"--resume"})).code, 0);
  expect_same(expected, results(task.path("whole")));
}

// What stands between a checkpoint and the model that it is the best of is repaired.
TEST(Resume, CheckpointWithoutItsConsequences) {
  const ToyTask task;
  ASSERT_EQ(run_heed(task.train("whole", {"train.updates=20", "train.average=1"})).code, 0);
  const auto expected = results(task.path("whole"));
  ASSERT_EQ(expected.at("best"), "000020\n");
  write_file(task.path("whole/checkpoints/best"), "000020\n");
  remove_tree(task.path("whole/model.safetensors"));
  remove_tree(task.path("whole/checkpoints/best"));
  ASSERT_EQ(run_heed(task.train("whole", {"train.updates=20", "train.average=1"}, {"--resume"})).code, 0);
  expect_same(expected, results(task.path("whole")));
}

TEST(Resume, PatienceCountsOn) {
  const ToyTask task;
  const Words set = {"train.patience=2", "train.learning_rate=1", "train.warmup=1", "train.updates=1000",
                     "train.clip_norm=1"};
  ASSERT_EQ(run_heed(task.train("whole", set, kThreads[0])).code, 0);
  ASSERT_LT(latest(task.path("whole")), 1000);
  std::vector<std::function<bool(const std::string&, int64_t)>> moments;
  for (int64_t update = 10; update < latest(task.path("whole")); update += 10) {
    moments.push_back([=](const std::string& folder, int64_t) { return latest(folder) >= update; });
  }
  EXPECT_GE(train_with_kills(task, set, moments), 1);
  expect_same(results(task.path("whole")), results(task.path("killed")));
}

TEST(Resume, InterruptSavesAndSaysHowToGoOn) {
  const ToyTask task;
  ASSERT_EQ(run_heed(task.train("whole", {}, kThreads[0])).code, 0);
  const std::string folder = task.path("killed");
  for (const int64_t update : {3, 17, 33}) {
    const auto last_logged = [&] {
      const std::vector<int64_t> updates =
          file_exists(folder + "/log.jsonl") ? logged(folder, "update") : std::vector<int64_t>();
      return updates.empty() ? 0 : updates.back();
    };
    // Beyond what the run before it logged, so that this one is surely under way.
    const int64_t awaited = std::max(update, last_logged() + 1);
    Process training(task.train("killed", {"train.log_every=1"}, {"--resume"}));
    while (training.running() && last_logged() < awaited) {
    }
    training.send(SIGINT);
    const int code = training.wait();
    if (code == 0) break;
    EXPECT_EQ(code, 130) << training.errors();
    EXPECT_NE(training.errors().find("--out " + folder + " --resume --set train.log_every=1"),
              std::string::npos)
        << training.errors();
    EXPECT_GE(latest(folder), logged(folder, "update").back());  // nothing is lost
  }
  ASSERT_EQ(run_heed(task.train("killed", {}, {"--resume"})).code, 0);
  const auto expected = results(task.path("whole")), found = results(folder);
  for (const char* name : {"model", "000060/weights.safetensors", "000060/optimiser.safetensors", "best"})
    EXPECT_TRUE(found.at(name) == expected.at(name)) << name << " differs";
  EXPECT_EQ(logged(task.path("whole"), "update"), logged(folder, "update"));
}

// Recurrent models by steps and as one op, stopped by the limit of updates and taken up with other threads.
TEST(Resume, RecurrentModelsGoOn) {
  const std::string transformer = "model: {width: 16, layers: 1, heads: 2, feed_forward: 16}";
  for (const char* options :
       {"attention: none, cell: lstm", "attend: before, layers: 2, layer_norm: true",
        "attend: conditional, context_dropout: 0.2", "attend: after, attention: bilinear",
        "attend: after, attention: dot, bidirectional: false, input_feeding: true"}) {
    SCOPED_TRACE(options);
    const ToyTask task;
    std::string config = read_file(task.config());
    ASSERT_NE(config.find(transformer), config.npos);
    const std::string model =
        std::string("model: {type: rnn, width: 16, embedding: 12, embedding_dropout: 0.1, ") + options + "}";
    write_file(task.config(), config.replace(config.find(transformer), transformer.size(), model));
    const Result whole = run_heed(task.train("whole", {}, kThreads[0]));
    ASSERT_EQ(whole.code, 0) << whole.errors;
    ASSERT_EQ(run_heed(task.train("stopped", {"train.updates=27"}, kThreads[1])).code, 0);
    Words resumed = kThreads[2];
    resumed.push_back("--resume");
    ASSERT_EQ(run_heed(task.train("stopped", {}, resumed)).code, 0);
    const auto expected = results(task.path("whole")), found = results(task.path("stopped"));
    for (const char* name : {"model", "000060/weights.safetensors", "000060/optimiser.safetensors", "best"})
      EXPECT_TRUE(found.at(name) == expected.at(name)) << name << " differs";
  }
}

// What a training that ended between two validations did there is not in its checkpoint: the average of the
// last ones, the best and the count of patience are later those of one that went on.
TEST(Resume, AnEndOffTheScheduleLeavesNoTrace) {
  const auto state_of = [](const std::string& folder) {
    auto state = nlohmann::json::parse(
        read_file(fmt::format("{}/checkpoints/{:06}/state.json", folder, latest(folder))));
    state.erase("seconds");
    return state;
  };
  for (const Words& set :
       {Words{}, Words{"train.metric=bleu", "train.patience=2", "train.learning_rate=0.03"}}) {
    const ToyTask task;
    ASSERT_EQ(run_heed(task.train("whole", set, kThreads[0])).code, 0);
    for (const char* updates :
         {"train.updates=33", "train.updates=46", "train.updates=46", "train.updates=57"}) {
      Words first = set;
      first.push_back(updates);
      const Result part = run_heed(task.train("parts", first, {"--resume"}));
      ASSERT_EQ(part.code, 0) << part.errors;
      EXPECT_TRUE(file_exists(task.path("parts/model.safetensors")));
    }
    ASSERT_EQ(run_heed(task.train("parts", set, {"--resume"})).code, 0);
    EXPECT_EQ(state_of(task.path("parts")), state_of(task.path("whole")));
    const std::vector<int64_t> validations = logged(task.path("parts"), "validation");
    EXPECT_EQ(std::set<int64_t>(validations.begin(), validations.end()).size(), validations.size());
    const auto expected = results(task.path("whole")), found = results(task.path("parts"));
    for (const char* name : {"model", "best"})
      EXPECT_TRUE(found.at(name) == expected.at(name)) << name << " differs";
  }
}

// Going on where there is nothing to do changes nothing, on a lower processor level neither.
TEST(Resume, WeightsKeepTheirStamp) {
  const ToyTask task;
  ASSERT_EQ(run_heed(task.train("model", {"precision=f32", "train.average=1"})).code, 0);
  const std::string weights = read_file(task.path("model/model.safetensors"));
  ::setenv("HEED_CPU", "plain", 1);
  const Result again = run_heed(task.train("model", {"precision=f32", "train.average=1"}, {"--resume"}));
  ::unsetenv("HEED_CPU");
  ASSERT_EQ(again.code, 0) << again.errors;
  EXPECT_TRUE(read_file(task.path("model/model.safetensors")) == weights);
}

// What a training reads is known by its contents, and the precision is the folder's unless one is named.
TEST(Resume, FoldersAndDataMayBeMoved) {
  const ToyTask task;
  ASSERT_EQ(run_heed(task.train("whole", {"precision=bf16"})).code, 0);
  ASSERT_EQ(run_heed(task.train("model", {"precision=bf16", "train.updates=30"})).code, 0);
  create_folders(task.path("moved"));
  for (const char* name : {"source", "target", "model"})
    std::filesystem::rename(task.path(name), task.path(std::string("moved/") + name));
  std::filesystem::copy_file(task.config(), task.path("moved/config.yaml"));
  const Result moved =
      run_heed({"train", task.path("moved/config.yaml"), "--out", task.path("moved/model"), "--resume"});
  EXPECT_EQ(moved.code, 0) << moved.errors;
  EXPECT_TRUE(read_file(task.path("moved/model/model.safetensors")) ==
              read_file(task.path("whole/model.safetensors")));
}

// The last update was interrupted before it was validated.
TEST(Resume, ValidatesAtTheEndAfterAnInterrupt) {
  const ToyTask task;
  const Words set = {"train.validate_every=1000", "train.updates=1000000"};
  const std::string folder = task.path("killed");
  {
    Process training(task.train("killed", set));
    while (training.running() && (!file_exists(folder + "/log.jsonl") || logged(folder, "update").empty())) {
    }
    training.send(SIGINT);
    ASSERT_EQ(training.wait(), 130) << training.errors();
  }
  ASSERT_FALSE(file_exists(folder + "/model.safetensors"));
  const std::string update = std::to_string(latest(folder));
  const Result resumed = run_heed(task.train("killed", {set[0], "train.updates=" + update}, {"--resume"}));
  EXPECT_EQ(resumed.code, 0) << resumed.errors;
  EXPECT_TRUE(file_exists(folder + "/model.safetensors"));
}

TEST(Resume, OtherConfigurationOrDataIsRefused) {
  const ToyTask task;
  ASSERT_EQ(run_heed(task.train("model", {"train.updates=10"})).code, 0);
  const auto expected = results(task.path("model"));
  const Result again = run_heed(task.train("model", {"train.updates=10"}));
  EXPECT_EQ(again.code, 2);
  EXPECT_NE(again.errors.find("--resume"), std::string::npos) << again.errors;

  const Result other = run_heed(task.train("model", {"train.updates=10", "model.dropout=0.3"}, {"--resume"}));
  EXPECT_EQ(other.code, 2);
  EXPECT_NE(other.errors.find("model.dropout: 0.1, now it is 0.3"), std::string::npos) << other.errors;

  // Where a cosine ends every rate depends on it.
  ASSERT_EQ(run_heed(task.train("cosine", {"train.epochs=1", "train.schedule=cosine"})).code, 0);
  const Result epochs =
      run_heed(task.train("cosine", {"train.epochs=2", "train.schedule=cosine"}, {"--resume"}));
  EXPECT_EQ(epochs.code, 2);
  EXPECT_NE(epochs.errors.find("train.epochs: 1, now it is 2"), std::string::npos) << epochs.errors;

  const std::string target = read_file(task.path("target"));
  write_file(task.path("target"), "b" + target.substr(1));
  const Result changed = run_heed(task.train("model", {"train.updates=20"}, {"--resume"}));
  EXPECT_EQ(changed.code, 2);
  EXPECT_NE(changed.errors.find("training data is not what"), std::string::npos) << changed.errors;
  expect_same(expected, results(task.path("model")));
  EXPECT_NE(read_file(task.path("model/config.yaml")).find("updates: 10"), std::string::npos);

  write_file(task.path("target"), target);
  const Result longer = run_heed(task.train("model", {"train.updates=20"}, {"--resume"}));
  EXPECT_EQ(longer.code, 0) << longer.errors;
  EXPECT_EQ(latest(task.path("model")), 20);
}

TEST(Resume, SecondTrainerIsRefused) {
  const ToyTask task;
  Process first(task.train("model", {"train.updates=1000000", "train.validate_every=1000000"}));
  while (first.running() && !file_exists(task.path("model/log.jsonl"))) {
  }
  const Result second = run_heed(task.train("model", {}, {"--resume"}));
  EXPECT_TRUE(first.running());
  EXPECT_EQ(second.code, 2);
  EXPECT_NE(second.errors.find("in use by process"), std::string::npos) << second.errors;
}

}  // namespace
}  // namespace heed::test
