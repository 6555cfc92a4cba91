// What each update of a training is given: batches, random numbers, a rate.
#include <gtest/gtest.h>

#include <set>

#include "tests/support/temporary_folder.h"
#include "tests/train/parabola.h"
#include "tests/train/plain_adam.h"

namespace heed::test {
namespace {

TEST(Updates, AreAdamsStepsAtTheScheduledRate) {
  for (const Schedule schedule :
       {Schedule::inverse_sqrt, Schedule::noam, Schedule::cosine, Schedule::constant}) {
    const TemporaryFolder folder;
    TrainConfig train = config();
    train.optimiser.schedule = schedule;
    train.optimiser.warmup = 4;
    train.optimiser.final_rate = 0.01;
    train.optimiser.weight_decay = 0.1;
    Training run(folder.path(), train);
    run();
    ASSERT_EQ(run.objective.calls.size(), 20u);
    PlainAdam plain{train.optimiser, {0.0}, {0.0}, {0.0}};
    for (int t = 1; t <= 20; ++t) {
      // A few roundings of f32 a step.
      EXPECT_NEAR(run.objective.calls[t - 1].weight, plain.weights[0], 1e-6 * t) << t;
      const double rate = learning_rate(train.optimiser, t, 20, kWidth);
      EXPECT_EQ(run.listener.updates[t - 1].learning_rate, rate);
      plain.step({static_cast<float>(2 * (plain.weights[0] - 1.0))}, 1.0, rate, t);
    }
    EXPECT_NEAR(run.weight(), plain.weights[0], 1e-6 * 20);
  }
}

// Also in a training that was gone on with.
TEST(Updates, HaveTheEpochsBatchesAndRandomNumbersOfTheirOwn) {
  const TemporaryFolder folder, halves, another;
  TrainConfig train = config();
  train.accumulate = 2;  // five batches an epoch: updates of 2, 2 and 1
  Training whole(folder.path(), train);
  whole();
  const std::vector<Parabola::Call>& calls = whole.objective.calls;
  std::set<uint64_t> keys;
  std::set<std::vector<uint64_t>> firsts;  // batches of the epochs
  size_t next = 0;
  for (int64_t update = 0; update < 20; ++update) {
    const auto epoch = static_cast<uint64_t>(update / 3);
    const auto in_epoch = static_cast<size_t>(update % 3);
    const BatchPlan plan(whole.corpus, train.batches(), static_cast<uint64_t>(train.seed), epoch);
    ASSERT_EQ(plan.updates(), 3u);
    for (size_t i = 0; i < plan.batches_of(in_epoch); ++i, ++next) {
      ASSERT_LT(next, calls.size());
      std::vector<uint64_t> sentences;
      for (const uint32_t index : plan.batch(plan.first_batch(in_epoch) + i))
        sentences.push_back(whole.corpus.numbers[index]);
      EXPECT_EQ(calls[next].update, update + 1);
      EXPECT_EQ(calls[next].sentences, sentences) << update << " " << i;
      EXPECT_TRUE(keys.insert(calls[next].key).second) << update << " " << i;
      if (in_epoch == 0 && i == 0) firsts.insert(sentences);
    }
  }
  EXPECT_EQ(next, calls.size());
  EXPECT_GT(firsts.size(), 1u);  // the order does change

  std::vector<Parabola::Call> in_halves;
  {
    Training run(halves.path(), train);
    run({.minutes = 0.0, .interrupted = [&] { return run.trainer.state().update >= 7; }});
    in_halves = run.objective.calls;
  }
  Training run(halves.path(), train);
  run.trainer.resume();
  run();
  in_halves.insert(in_halves.end(), run.objective.calls.begin(), run.objective.calls.end());
  EXPECT_EQ(in_halves, calls);

  train.seed = 2;
  Training other(another.path(), train);
  other();
  for (const Parabola::Call& call : other.objective.calls) EXPECT_FALSE(keys.contains(call.key));
}

}  // namespace
}  // namespace heed::test
