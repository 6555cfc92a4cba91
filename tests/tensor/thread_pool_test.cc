#include "heed/tensor/thread_pool.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>

#include <limits>
#include <thread>
#include <vector>

#include "heed/base/error.h"

namespace heed {
namespace {

TEST(ThreadCount, IsThatOfTheProcessorsLeftToTheProcess) {
  EXPECT_EQ(thread_count(3), 3);
  EXPECT_GE(thread_count(0), 1);
  std::thread([] {  // so that the other tests keep theirs
    cpu_set_t usable, first;
    ASSERT_EQ(sched_getaffinity(0, sizeof(usable), &usable), 0);
    int cpu = 0;
    while (!CPU_ISSET(cpu, &usable)) ++cpu;
    CPU_ZERO(&first);
    CPU_SET(cpu, &first);
    ASSERT_EQ(sched_setaffinity(0, sizeof(first), &first), 0);
    EXPECT_EQ(thread_count(0), 1);
  })
      .join();
}

TEST(ThreadPool, RunsEveryPieceOnce) {
  for (const int threads : {1, 2, 3, 7}) {
    ThreadPool pool(threads);
    EXPECT_EQ(pool.threads(), threads);
    for (int round = 0; round < 2000; ++round) {
      const int64_t pieces = round % 23;
      std::vector<int> counts(pieces, 0);
      pool.run(pieces, [&](int64_t piece) { ++counts[piece]; });
      for (const int count : counts) ASSERT_EQ(count, 1);
    }
  }
}

TEST(ThreadPool, ThreadsThatCannotBeStartedAreTold) {
  pthread_attr_t before, endless;
  ASSERT_EQ(pthread_getattr_default_np(&before), 0);
  ASSERT_EQ(pthread_getattr_default_np(&endless), 0);
  ASSERT_EQ(pthread_attr_setstacksize(&endless, size_t{1} << 60), 0);  // more than processors can address
  ASSERT_EQ(pthread_setattr_default_np(&endless), 0);
  std::string message;
  try {
    ThreadPool pool(3);
  } catch (const InputError& error) {
    message = error.what();
  }
  ASSERT_EQ(pthread_setattr_default_np(&before), 0);
  EXPECT_TRUE(message.starts_with("only 1 of 3 threads could be started")) << message;
}

TEST(ThreadPool, RangesCoverTheWhole) {
  ThreadPool pool(3);
  std::vector<int> counts(1003, 0);
  pool.run_ranges(1003, 64, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) ++counts[i];
  });
  for (const int count : counts) ASSERT_EQ(count, 1);
}

TEST(ThreadPool, RethrowsAndGoesOn) {
  ThreadPool pool(3);
  for (int round = 0; round < 100; ++round) {
    EXPECT_THROW(pool.run(50,
                          [](int64_t piece) {
                            if (piece == 31) fail("piece {}", piece);
                          }),
                 Error);
  }
  std::atomic<int> done = 0;
  pool.run(50, [&](int64_t) { ++done; });
  EXPECT_EQ(done, 50);
}

TEST(ThreadPool, NestedRunsAreInline) {
  ThreadPool pool(2);
  std::atomic<int> done = 0;
  pool.run(8, [&](int64_t) { pool.run(8, [&](int64_t) { ++done; }); });
  EXPECT_EQ(done, 64);
}

#if defined(__SSE2__)
TEST(ThreadPool, DenormalNumbersAreZeroInTasksOnly) {
  volatile float smallest = std::numeric_limits<float>::min(), tenth = 0.1f;
  for (const int threads : {1, 3}) {
    ThreadPool pool(threads);
    std::vector<float> made(100, 1.0f);
    pool.run(100, [&](int64_t piece) { made[static_cast<size_t>(piece)] = smallest * tenth; });
    EXPECT_EQ(made, std::vector<float>(100, 0.0f)) << threads;
    EXPECT_GT(smallest * tenth, 0.0f);
  }
}
#endif

}  // namespace
}  // namespace heed
