#include "heed/base/signal.h"

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

namespace heed {
namespace {

class Interrupts : public testing::TestWithParam<int> {};

TEST_P(Interrupts, FirstIsNotedSecondKills) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(GetParam(), SIG_DFL);  // nohup ignores hang-ups, and the tests may run under it
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

TEST(Signals, AnIgnoredHangUpStaysIgnored) {
  const pid_t child = ::fork();
  if (child == 0) {
    std::signal(SIGHUP, SIG_IGN);
    watch_interrupts();
    ::raise(SIGHUP);
    ::_exit(interrupted() ? 1 : 0);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
}

INSTANTIATE_TEST_SUITE_P(All, Interrupts, testing::Values(SIGINT, SIGTERM, SIGHUP));

}  // namespace
}  // namespace heed
