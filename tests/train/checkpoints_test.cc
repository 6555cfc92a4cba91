// Which checkpoints a training leaves: those that it needs, and no older than it was told.
#include <gtest/gtest.h>

#include <stdexcept>

#include "tests/support/temporary_folder.h"
#include "tests/train/parabola.h"

namespace heed::test {
namespace {

// True where as many updates were made; it is asked before each.
TrainLimits interrupted_after(int64_t updates) {
  TrainLimits limits;
  limits.interrupted = [updates, asked = int64_t{0}]() mutable { return asked++ == updates; };
  return limits;
}

// A power cut before the seventh update, no validation having been due.
std::vector<int64_t> left_by_power_cut(const std::string& path, double save_minutes) {
  TrainConfig train = config();
  train.validate_every = 100;
  train.save_minutes = save_minutes;
  Training run(path, train);
  TrainLimits limits;
  limits.interrupted = [asked = 0]() mutable -> bool {
    if (asked++ == 6) throw std::runtime_error("power cut");
    return false;
  };
  EXPECT_THROW(run(limits), std::runtime_error);
  return run.folder.checkpoints();
}

TEST(Checkpoints, BetweenValidationsOneIsKeptEverySoManyMinutes) {
  const TemporaryFolder often, never, whole;
  EXPECT_EQ(left_by_power_cut(never.path(), 0.0), std::vector<int64_t>());
  EXPECT_EQ(left_by_power_cut(often.path(), 1e-12), std::vector<int64_t>{6});

  TrainConfig train = config();
  train.validate_every = 100;
  Training once(whole.path(), train), resumed(often.path(), train);
  once();
  resumed.trainer.resume();
  EXPECT_EQ(resumed.trainer.state().update, 6);
  resumed();
  EXPECT_EQ(resumed.weight(), once.weight());
}

TEST(Checkpoints, ThoseOfInterruptionsGo) {
  const TemporaryFolder folder, whole;
  TrainConfig train = config();
  train.average = 3;
  Training once(whole.path(), train);
  once();
  for (const int64_t updates : {3, 4, 4, 2, 1, 3}) {
    Training run(folder.path(), train);
    if (run.folder.latest()) run.trainer.resume();
    EXPECT_EQ(run(interrupted_after(updates)), StopReason::interrupted);
    EXPECT_LE(run.folder.checkpoints().size(), 5u);  // three validated, the best, the latest
  }
  Training last(folder.path(), train);
  last.trainer.resume();
  EXPECT_EQ(last.trainer.state().update, 17);
  EXPECT_EQ(last(), StopReason::updates);
  EXPECT_EQ(last.folder.checkpoints(), once.folder.checkpoints());
  EXPECT_EQ(last.weight(), once.weight());
}

}  // namespace
}  // namespace heed::test
