// The trainer around an objective so small that every number is known.
#include "heed/train/trainer.h"

#include <gtest/gtest.h>

#include <limits>

#include "heed/base/error.h"
#include "heed/base/file.h"
#include "heed/train/weights.h"
#include "tests/support/temporary_folder.h"
#include "tests/train/parabola.h"

namespace heed::test {
namespace {

// Each of these is best at a validation of its own, the first at the first one, and worst at the next one.
constexpr std::pair<StopMetric, const char*> kRivals[] = {
    {StopMetric::loss, "loss"},         {StopMetric::bleu, "bleu"}, {StopMetric::chrf, "chrf"},
    {StopMetric::accuracy, "accuracy"}, {StopMetric::f1, "f1"},     {StopMetric::wer, "wer"}};

class Rivals final : public Validator {
 public:
  Validation validate(Context&) const override {
    Validation validation;
    for (size_t i = 0; i < std::size(kRivals); ++i) {
      const auto& [metric, name] = kRivals[i];
      const double gain = told_ == i ? 1.0 : told_ == (i + 1) % std::size(kRivals) ? -1.0 : 0.0;
      const bool smaller_is_better = metric == StopMetric::loss || metric == StopMetric::wer;
      validation.metrics[name] = smaller_is_better ? 2.0 - gain : 2.0 + gain;
    }
    validation.loss = validation.metrics.extract("loss").mapped();
    ++told_;
    return validation;
  }
  std::string fingerprint() const override { return "rivals"; }

 private:
  mutable size_t told_ = 0;
};

// What it says when a training fails by itself, not by what the user gave.
std::string failure_of(Training& run) {
  try {
    run();
  } catch (const InputError& error) {
    return std::string("not what the user gave: ") + error.what();
  } catch (const Error& error) {
    return error.what();
  }
  return "training went on";
}

TEST(Trainer, CountsUpdatesEpochsAndValidations) {
  const TemporaryFolder folder;
  Training run(folder.path());
  EXPECT_EQ(run(), StopReason::updates);
  ASSERT_EQ(run.listener.updates.size(), 20u);
  for (int64_t i = 0; i < 20; ++i) {
    EXPECT_EQ(run.listener.updates[i].update, i + 1);
    EXPECT_EQ(run.listener.updates[i].epoch, i / 5);  // ten sentences, two a batch
  }
  EXPECT_EQ(run.listener.updates[0].loss, 1.0);           // a mean over tokens
  EXPECT_EQ(run.listener.updates[0].gradient_norm, 2.0);  // the same
  EXPECT_EQ(run.listener.validations, (std::vector<int64_t>{5, 10, 15, 20}));
  EXPECT_EQ(run.listener.epochs, (std::vector<int64_t>{0, 1, 2, 3}));  // at the end of each
  EXPECT_NEAR(run.weight(), 1.0, 0.5);
}

TEST(Trainer, AccumulatedBatchesAreOneMean) {
  const TemporaryFolder folder;
  TrainConfig accumulated = config();
  accumulated.accumulate = 3;
  Training run(folder.path(), accumulated);
  run();
  EXPECT_EQ(run.listener.updates[0].loss, 1.0);
  EXPECT_EQ(run.listener.updates[0].gradient_norm, 2.0);
  EXPECT_EQ(run.listener.updates[2].epoch, 1);  // 5 batches: updates of 3 and 2
}

TEST(Trainer, EndsByEpochsAndPatience) {
  const TemporaryFolder folder, other;
  TrainConfig epochs = config();
  epochs.epochs = 2;
  epochs.validate_every = 0;
  Training by_epochs(folder.path(), epochs);
  EXPECT_EQ(by_epochs(), StopReason::epochs);
  EXPECT_EQ(by_epochs.trainer.state().update, 10);
  EXPECT_EQ(by_epochs.listener.validations, (std::vector<int64_t>{5, 10}));

  TrainConfig patience = config();
  patience.patience = 2;
  patience.updates = 1000;
  patience.optimiser.learning_rate = 10.0;  // leaves the minimum at once
  Training by_patience(other.path(), patience, 1e-3);
  EXPECT_EQ(by_patience(), StopReason::patience);
  EXPECT_LT(by_patience.trainer.state().update, 1000);
  EXPECT_EQ(by_patience.trainer.state().update, by_patience.trainer.state().best_update + 10);
}

TEST(Trainer, ACosineEndsWithTheEpochs) {
  const TemporaryFolder folder;
  TrainConfig train = config();
  train.epochs = 2;
  train.updates = 1000;
  train.optimiser.schedule = Schedule::cosine;
  train.optimiser.final_rate = 0.01;
  Training run(folder.path(), train);
  EXPECT_EQ(run(), StopReason::epochs);
  ASSERT_EQ(run.listener.updates.size(), 10u);
  EXPECT_DOUBLE_EQ(run.listener.updates.front().learning_rate, 0.1);
  EXPECT_DOUBLE_EQ(run.listener.updates.back().learning_rate, 0.01);
  EXPECT_DOUBLE_EQ(run.listener.updates.back().done, 1.0);
}

TEST(Trainer, NaNStopsAndKeepsTheLastCheckpoint) {
  const TemporaryFolder folder;
  Training run(folder.path());
  run.objective.poisoned_from = 8;
  const std::string message = failure_of(run);
  EXPECT_TRUE(message.starts_with("update 8: training diverged (loss nan")) << message;
  EXPECT_NE(message.find("the sentences of lines "), std::string::npos) << message;
  EXPECT_NE(message.find("the checkpoint of update 5 is kept"), std::string::npos) << message;
  EXPECT_EQ(run.folder.checkpoints(), (std::vector<int64_t>{5}));
}

TEST(Trainer, ValidationThatIsNoNumberIsNeverTheBest) {
  const TemporaryFolder folder;
  Training run(folder.path());
  run.objective.bad_validation = true;
  const std::string message = failure_of(run);
  EXPECT_TRUE(message.starts_with("update 5: training diverged (loss on dev nan)")) << message;
  EXPECT_TRUE(run.folder.checkpoints().empty());
  EXPECT_FALSE(run.folder.has_weights());
}

TEST(Trainer, EachMetricKeepsItsBestCheckpoint) {
  for (size_t i = 0; i < std::size(kRivals); ++i) {
    const auto& [metric, name] = kRivals[i];
    const TemporaryFolder folder;
    TrainConfig train = config();
    train.metric = metric;
    train.updates = 5 * static_cast<int64_t>(std::size(kRivals));
    Training run(folder.path());
    const Rivals dev;
    Trainer trainer(train, kWidth, run.objective.store, run.objective, &dev, run.corpus, run.folder, {});
    Context c(1);
    EXPECT_EQ(trainer.run(c, run.listener, {}), StopReason::updates);
    const int64_t best = 5 * (static_cast<int64_t>(i) + 1);
    EXPECT_EQ(trainer.state().best_update, best) << name;
    EXPECT_EQ(run.folder.best(), best) << name;
    EXPECT_EQ(ModelStamp::of(run.folder.read_weights()).update, best) << name;
  }
}

TEST(Trainer, AMetricThatDevDoesNotGiveIsRefused) {
  const TemporaryFolder folder;
  TrainConfig train = config();
  train.metric = StopMetric::wer;
  Training run(folder.path(), train);
  EXPECT_EQ(failure_of(run), "not what the user gave: train.metric: this model's validation gives no wer");
}

TEST(Trainer, InterruptedBeforeTheFirstUpdateSavesNothing) {
  const TemporaryFolder folder;
  Training run(folder.path());
  EXPECT_EQ(run({.minutes = 0.0, .interrupted = [] { return true; }}), StopReason::interrupted);
  EXPECT_TRUE(run.folder.checkpoints().empty());
  Training again(folder.path());
  again.trainer.resume();  // nothing to go on from: from the start
  EXPECT_EQ(again(), StopReason::updates);
}

TEST(Trainer, ResumesToTheBit) {
  const TemporaryFolder whole;
  Training expected(whole.path());
  expected();
  for (const int64_t stop : {1, 4, 5, 6, 9, 13, 19}) {
    const TemporaryFolder folder;
    {
      Training run(folder.path());
      EXPECT_EQ(run({.minutes = 0.0, .interrupted = [&] { return run.trainer.state().update >= stop; }}),
                StopReason::interrupted);
    }
    Training run(folder.path());
    run.trainer.resume();
    EXPECT_EQ(run.trainer.state().update, stop);
    run();
    EXPECT_EQ(run.weight(), expected.weight()) << stop;
    EXPECT_EQ(run.trainer.state().best_update, expected.trainer.state().best_update);
    EXPECT_EQ(run.listener.updates.size(), static_cast<size_t>(20 - stop));
  }
}

TEST(Trainer, AverageIsThatOfTheLastValidated) {
  const TemporaryFolder folder;
  TrainConfig averaged = config();
  averaged.average = 3;
  Training run(folder.path(), averaged, 10.0);  // far away: the last is the best, the average is not kept
  run();
  EXPECT_EQ(run.folder.checkpoints(), (std::vector<int64_t>{10, 15, 20}));
  double sum = 0.0;
  for (const int64_t update : {10, 15, 20}) {
    ParameterStore store{std::nullopt};
    const Parameter& weight = store.add("w", {1}, Initial::constant(0));
    load_weights(run.folder.open_checkpoint(update).weights, store);
    sum += *weight.value().data<float>();
  }
  EXPECT_EQ(run.weight(), static_cast<float>(sum / 3));
  EXPECT_EQ(ModelStamp::of(run.folder.read_weights()).update, 20);
}

// Of some that were removed to make room.
TEST(Trainer, AveragesTheCheckpointsThatAreThere) {
  TrainConfig averaged = config();
  averaged.average = 3;
  for (const bool one_is_left : {false, true}) {
    const TemporaryFolder folder;
    {
      Training run(folder.path(), averaged, 10.0);
      run({.minutes = 0.0, .interrupted = [&] { return run.trainer.state().update == 15; }});
    }
    remove_tree(folder.path("checkpoints/000010"));
    Training again(folder.path(), averaged, 10.0);
    again.trainer.resume();
    if (one_is_left) remove_tree(folder.path("checkpoints/000015"));
    EXPECT_EQ(again(), StopReason::updates);
    const auto weight_of = [&](int64_t update) {
      ParameterStore store{std::nullopt};
      const Parameter& weight = store.add("w", {1}, Initial::constant(0));
      load_weights(again.folder.open_checkpoint(update).weights, store);
      return *weight.value().data<float>();
    };
    ASSERT_FALSE(again.listener.messages.empty());
    EXPECT_EQ(again.listener.messages.front(),
              one_is_left ? "2 of the last 3 checkpoints were removed: nothing is averaged"
                          : "1 of the last 3 checkpoints were removed: the others are averaged");
    EXPECT_EQ(again.weight(),
              one_is_left ? weight_of(20) : static_cast<float>((double{weight_of(15)} + weight_of(20)) / 2));
  }
}

// Also of the average, which is the model here.
TEST(Trainer, StampsTellWhatDevGaveForTheseWeights) {
  const TemporaryFolder folder;
  TrainConfig averaged = config();
  averaged.average = 3;
  {
    Training run(folder.path(), averaged);
    run({.minutes = 0.0, .interrupted = [&] { return run.trainer.state().update >= 6; }});
  }
  Training run(folder.path(), averaged);
  EXPECT_TRUE(run.folder.open_checkpoint(6).stamp.dev.empty());  // was not measured
  run.trainer.resume();
  run();
  const auto expect_measured = [](const SafetensorsFile& file) {
    const ModelStamp stamp = ModelStamp::of(file);
    EXPECT_EQ(stamp.examples, 10);
    ParameterStore store{std::nullopt};
    const Parameter& weight = store.add("w", {1}, Initial::constant(0));
    load_weights(file, store);
    const double distance = *weight.value().data<float>() - 1.0;
    EXPECT_EQ(stamp.dev, (std::map<std::string, double>{{"loss", distance * distance}}));
  };
  for (const int64_t update : {10, 15, 20}) expect_measured(run.folder.open_checkpoint(update).weights);
  expect_measured(run.folder.read_weights());
}

TEST(Trainer, WithoutValidatorTheLastWeightsAreTheModel) {
  const TemporaryFolder folder;
  Training run(folder.path());
  Trainer trainer(config(), kWidth, run.objective.store, run.objective, nullptr, run.corpus, run.folder, {});
  Context c(1);
  EXPECT_EQ(trainer.run(c, run.listener, {}), StopReason::updates);
  EXPECT_TRUE(run.listener.validations.empty());
  EXPECT_EQ(ModelStamp::of(run.folder.read_weights()).update, 20);
  EXPECT_EQ(run.folder.best(), 20);
}

TEST(Trainer, DamagedStatesAreRefused) {
  const TemporaryFolder folder;
  Training(folder.path())();
  const std::string path = folder.path("checkpoints/000020/state.json"), good = read_file(path);
  const std::pair<const char*, const char*> changes[] = {
      {"\"update\": 20", "\"update\": 19"},
      {"\"update\": 20", "\"update\": -20"},
      {"\"epoch\": 4", "\"epoch\": \"four\""},
      {"\"epoch\": 4", "\"epoch\": -1"},
      {"\"epoch\": 4", "\"epoch\": 9000000000000000000"},
      {"\"epoch\": 4", "\"epoch\": 1e300"},
      {"\"validations_without_gain\": ", "\"validations_without_gain\": 922337203685477580"},
      {"\"validated\": [", "\"validated\": [21,"},
      {"\"update_in_epoch\": 0", "\"update_in_epoch\": -1"},
      {"\"data_fingerprint\": \"", "\"data_fingerprint\": \"0"},
      {"\"dev_fingerprint\": \"", "\"dev_fingerprint\": \"0"},
      {"{", "["}};
  for (const auto& [from, to] : changes) {
    std::string damaged = good;
    ASSERT_NE(damaged.find(from), std::string::npos) << from;
    write_file(path, damaged.replace(damaged.find(from), std::string(from).size(), to));
    Training run(folder.path());
    EXPECT_THROW(run.trainer.resume(), InputError) << to;
  }
  std::string beyond = good;
  beyond.replace(beyond.find("\"update_in_epoch\": 0"), 20, "\"update_in_epoch\": 9");
  write_file(path, beyond);
  TrainConfig longer = config();
  longer.updates = 30;
  Training run(folder.path(), longer);
  run.trainer.resume();
  EXPECT_THROW(run(), InputError);
}

}  // namespace
}  // namespace heed::test
