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

// Says of the training's folder whether the moment has come.
using Moment = std::function<bool(const std::string& folder)>;

// Runs that go on until they are stopped: however late that is, they do not end by themselves.
const char* const kEndless = "train.updates=1000000";

// The first validation after all that is there, at least the sixth.
int64_t validation_after(const std::string& folder) {
  return std::max<int64_t>(60, latest(folder) / 10 * 10 + 10);
}

// Starts the training in `killed` once a moment, kills it when that has come, and at last lets it end.
// Returns the last update.
int64_t train_with_kills(const ToyTask& task, const std::vector<Moment>& moments) {
  const std::string folder = task.path("killed");
  for (size_t i = 0; i < moments.size(); ++i) {
    Words more = kThreads[i % 3];
    more.push_back("--resume");
    Process training(task.train("killed", {kEndless}, more));
    const Moment& has_come = moments[i];
    EXPECT_TRUE(training.runs_until([&] { return has_come(folder); })) << i << ": " << training.errors();
    EXPECT_EQ(training.end_by(SIGKILL), 128 + SIGKILL) << i << ": " << training.errors();
    if (testing::Test::HasFailure()) break;
    if (!file_exists(folder + "/log.jsonl")) continue;
    const std::vector<int64_t> updates = logged(folder, "update");
    if (!updates.empty()) {
      EXPECT_LE(updates.back() - latest(folder), 10);
    }
  }
  const int64_t last = validation_after(folder);
  const Result end = run_heed(task.train("killed", {fmt::format("train.updates={}", last)}, {"--resume"}));
  EXPECT_EQ(end.code, 0) << end.errors;
  return last;
}

// The same from the first update to the last in one run.
void train_whole(const ToyTask& task, int64_t last) {
  const Result whole = run_heed(task.train("whole", {fmt::format("train.updates={}", last)}, kThreads[0]));
  ASSERT_EQ(whole.code, 0) << whole.errors;
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
  std::vector<Moment> moments;
  for (uint64_t i = 0; i < 10; ++i) {
    // Since what was told when the process began, be it of updates that a kill took back.
    const auto updates = static_cast<int64_t>(1 + uniform_below(5, i, 12));
    moments.push_back([updates, first = int64_t{-1}](const std::string& folder) mutable {
      if (!file_exists(folder + "/log.jsonl")) return false;
      const std::vector<int64_t> seen = logged(folder, "update");
      const int64_t last = seen.empty() ? 0 : seen.back();
      if (first < 0) first = last;
      return last >= first + updates;
    });
  }
  train_whole(task, train_with_kills(task, moments));
  expect_same(results(task.path("whole")), results(task.path("killed")));
  EXPECT_EQ(logged(task.path("whole"), "update"), logged(task.path("killed"), "update"));
  EXPECT_EQ(logged(task.path("whole"), "validation"), logged(task.path("killed"), "validation"));
}

TEST(Resume, KilledWhileWriting) {
  const ToyTask task;
  std::vector<Moment> moments;
  // What lasts a moment is missed now and then where other work runs; the kill then comes with the checkpoint
  // of update `at_last`.
  const auto writing = [](const std::string& where, const std::string& what, int64_t at_last) {
    return [=](const std::string& folder) {
      return is_writing(folder, where, what) || latest(folder) >= at_last;
    };
  };
  moments.push_back([](const std::string& folder) { return folder_exists(folder); });
  moments.push_back(writing("", "vocabulary", 10));
  moments.push_back(writing("", "config.yaml", 10));
  // The first checkpoint is half there, then whole but not yet marked as the best, then not yet the model.
  moments.push_back(writing("/checkpoints", ".tmp-", 10));
  moments.push_back(writing("/checkpoints", "000010", 10));
  moments.push_back(writing("/checkpoints", "000020", 20));
  moments.push_back(writing("/checkpoints", ".tmp-", 50));
  train_whole(task, train_with_kills(task, moments));
  expect_same(results(task.path("whole")), results(task.path("killed")));
}

// Trains a model for 20 updates, in one run and, with other threads each time, in two, the first of which
// ends after `stop`; both end alike.
void expect_goes_on(const std::string& model, const Words& set, int64_t stop) {
  SCOPED_TRACE(model);
  const ToyTask task;
  task.use_model(model);
  const auto train = [&](const char* out, int64_t updates, Words more) {
    Words all = set;
    all.push_back(fmt::format("train.updates={}", updates));
    const Result result = run_heed(task.train(out, all, more));
    ASSERT_EQ(result.code, 0) << result.errors;
  };
  Words resumed = kThreads[2];
  resumed.push_back("--resume");
  train("whole", 20, kThreads[0]);
  train("parts", stop, kThreads[1]);
  train("parts", 20, resumed);
  if (testing::Test::HasFatalFailure()) return;
  const auto expected = results(task.path("whole")), found = results(task.path("parts"));
  if (stop % 10 == 0) return expect_same(expected, found);
  // The checkpoint of an end between two validations may be there still.
  for (const char* name : {"model", "000020/weights.safetensors", "000020/optimiser.safetensors", "best"})
    EXPECT_TRUE(found.at(name) == expected.at(name)) << name << " differs";
}

// What changes from update to update and what is drawn goes on where it stopped.
TEST(Resume, OptionsOfTheLossGoOn) {
  const Words guided = {"train.guided_attention.weight=2", "train.guided_attention.half_life=20"};
  const auto sampling = [](const char* schedule, const Words& keys, Words others = {}) {
    others.push_back(std::string("train.scheduled_sampling.schedule=") + schedule);
    for (const std::string& key : keys) others.push_back("train.scheduled_sampling." + key);
    return others;
  };
  const std::string transformer = "width: 16, layers: 1, heads: 2, feed_forward: 16",
                    rnn = "type: rnn, width: 16, embedding: 12";
  const Words exponential = sampling("exponential", {"k=0.97", "sample=true"}, guided);
  expect_goes_on(transformer, exponential, 10);
  expect_goes_on(transformer + ", normalisation: batch", exponential, 10);
  expect_goes_on(rnn, exponential, 10);
  // With the best words, and where a step reads its own context or none.
  expect_goes_on(transformer, sampling("constant", {"teacher_forcing=0.5"}), 10);
  expect_goes_on(rnn + ", attend: after, attention: bilinear, input_feeding: true",
                 sampling("linear", {"k=1", "slope=0.03"}, guided), 10);
  expect_goes_on(rnn + ", attention: none", sampling("inverse_sigmoid", {"k=8", "sample=true"}), 10);
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

// Stopped at every validation, also when one had brought no gain.
TEST(Resume, PatienceCountsOn) {
  const ToyTask task;
  const auto train = [&](const char* out, int64_t updates, const Words& more) {
    const Words set = {"train.patience=2", "train.learning_rate=1", "train.warmup=1", "train.clip_norm=1",
                       fmt::format("train.updates={}", updates)};
    const Result result = run_heed(task.train(out, set, more));
    ASSERT_EQ(result.code, 0) << result.errors;
  };
  train("whole", 1000, kThreads[0]);
  const int64_t last = latest(task.path("whole"));
  ASSERT_GE(last, 30);
  ASSERT_LT(last, 1000);
  for (int64_t update = 10; update < last; update += 10) train("parts", update, {"--resume"});
  train("parts", 1000, {"--resume"});
  EXPECT_EQ(latest(task.path("parts")), last);
  expect_same(results(task.path("whole")), results(task.path("parts")));
}

TEST(Resume, InterruptSavesAndSaysHowToGoOn) {
  const ToyTask task;
  const std::string folder = task.path("killed");
  for (const int64_t update : {3, 17, 33}) {
    const auto last_logged = [&] {
      const std::vector<int64_t> updates =
          file_exists(folder + "/log.jsonl") ? logged(folder, "update") : std::vector<int64_t>();
      return updates.empty() ? 0 : updates.back();
    };
    // Beyond what the run before it logged, so that this one is surely under way.
    const int64_t awaited = std::max(update, last_logged() + 1);
    Process training(task.train("killed", {"train.log_every=1", kEndless}, {"--resume"}));
    ASSERT_TRUE(training.runs_until([&] { return last_logged() >= awaited; })) << training.errors();
    ASSERT_EQ(training.end_by(SIGINT), 130) << training.errors();
    EXPECT_NE(
        training.errors().find("--out " + folder + " --resume --set train.log_every=1 --set " + kEndless),
        std::string::npos)
        << training.errors();
    EXPECT_GE(latest(folder), logged(folder, "update").back());  // nothing is lost
  }
  const int64_t last = validation_after(folder);
  ASSERT_EQ(run_heed(task.train("killed", {fmt::format("train.updates={}", last)}, {"--resume"})).code, 0);
  train_whole(task, last);
  const auto expected = results(task.path("whole")), found = results(folder);
  for (const std::string& name : {std::string("model"), fmt::format("{:06}/weights.safetensors", last),
                                  fmt::format("{:06}/optimiser.safetensors", last), std::string("best")})
    EXPECT_TRUE(found.at(name) == expected.at(name)) << name << " differs";
  EXPECT_EQ(logged(task.path("whole"), "update"), logged(folder, "update"));
}

// Recurrent models by steps and as one op, stopped between two validations.
TEST(Resume, RecurrentModelsGoOn) {
  for (const char* options :
       {"attention: none, cell: lstm", "attend: before, layers: 2, layer_norm: true, cell: lstm",
        "attend: conditional, context_dropout: 0.2",
        "attend: conditional, attention: scaled_dot, bidirectional: false",
        "attend: after, attention: bilinear", "attend: after, attention: additive, cell: lstm",
        "attend: after, attention: dot, bidirectional: false, input_feeding: true",
        "attend: after, attention: additive, monotonic: true",
        "attend: after, attention: scaled_dot, bidirectional: false, window: local_m, window_reach: 2",
        "attend: after, attention: bilinear, window: local_p, window_reach: 2"}) {
    expect_goes_on(std::string("type: rnn, width: 16, embedding: 12, embedding_dropout: 0.1, ") + options, {},
                   11);
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
  const std::string rarely = "train.validate_every=1000000", folder = task.path("killed");
  {
    Process training(task.train("killed", {rarely, kEndless}));
    EXPECT_TRUE(training.runs_until([&] {
      return file_exists(folder + "/log.jsonl") && !logged(folder, "update").empty();
    })) << training.errors();
    ASSERT_EQ(training.end_by(SIGINT), 130) << training.errors();
  }
  ASSERT_FALSE(file_exists(folder + "/model.safetensors"));
  const std::string update = std::to_string(latest(folder));
  const Result resumed = run_heed(task.train("killed", {rarely, "train.updates=" + update}, {"--resume"}));
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
  Process first(task.train("model", {kEndless, "train.validate_every=1000000"}));
  EXPECT_TRUE(first.runs_until([&] { return file_exists(task.path("model/log.jsonl")); })) << first.errors();
  const Result second = run_heed(task.train("model", {}, {"--resume"}));
  EXPECT_TRUE(first.running());
  EXPECT_EQ(second.code, 2);
  EXPECT_NE(second.errors.find("in use by process"), std::string::npos) << second.errors;
}

}  // namespace
}  // namespace heed::test
