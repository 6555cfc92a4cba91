#include "heed/base/signal.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>

namespace heed {
namespace {

std::atomic<bool> g_interrupted = false;
std::atomic<const char*> g_message = "";
static_assert(std::atomic<bool>::is_always_lock_free && std::atomic<const char*>::is_always_lock_free,
              "a signal handler may use them");

void take_note(int) {
  g_interrupted = true;
  const int error = errno;
  const char* message = g_message;
  [[maybe_unused]] const ssize_t written = ::write(STDERR_FILENO, message, std::strlen(message));
  errno = error;
}

}  // namespace

void watch_interrupts(const char* message) {
  g_message = message;
  struct sigaction action {};
  action.sa_handler = take_note;
  action.sa_flags = SA_RESETHAND | SA_RESTART;  // once; file operations go on
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM}) sigaction(signal, &action, nullptr);
  struct sigaction before {};  // nohup has it ignored
  if (sigaction(SIGHUP, nullptr, &before) == 0 && before.sa_handler != SIG_IGN)
    sigaction(SIGHUP, &action, nullptr);
}

bool interrupted() {
  return g_interrupted;
}

void forget_interrupt() {
  g_interrupted = false;
}

}  // namespace heed
