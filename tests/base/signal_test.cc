#include "heed/base/signal.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace heed {
namespace {

class Signal : public testing::TestWithParam<int> {};

TEST_P(Signal, FirstIsNotedSecondKills) {
  const pid_t child = ::fork();
  if (child == 0) {
    watch_interrupts();
    if (interrupted()) ::_exit(1);
    ::raise(GetParam());
    if (!interrupted()) ::_exit(2);
    forget_interrupt();
    if (interrupted()) ::_exit(3);
    ::raise(GetParam());
    ::_exit(4);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status)) << "exit code " << WEXITSTATUS(status);
  EXPECT_EQ(WTERMSIG(status), GetParam());
}

INSTANTIATE_TEST_SUITE_P(Both, Signal, testing::Values(SIGINT, SIGTERM));

}  // namespace
}  // namespace heed
