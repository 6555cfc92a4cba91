// Running the heed binary of this build as a user would, and watching or killing it.
#pragma once

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "heed/base/file.h"
#include "tests/support/temporary_folder.h"

namespace heed::test {

// heed with these arguments, started at once; killed at the end if it still runs.
class Process {
 public:
  explicit Process(const std::vector<std::string>& arguments, const std::string& input = "/dev/null",
                   const std::string& output = "")
      : output_(output.empty() ? folder_.path("out") : output) {
    std::vector<std::string> words = {HEED_BINARY_DIR "/heed"};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    const std::string errors = folder_.path("errors");
    id_ = ::fork();
    if (id_ < 0) throw std::runtime_error("fork failed");
    if (id_ == 0) {
      const int files[] = {::open(input.c_str(), O_RDONLY),
                           ::open(output_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600),
                           ::open(errors.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0600)};
      for (int i = 0; i < 3; ++i) ::dup2(files[i], i);
      // As from a terminal, also where the tests run under nohup or in the background of a script.
      for (const int signal : {SIGINT, SIGTERM, SIGHUP}) ::signal(signal, SIG_DFL);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
  }
  ~Process() {
    if (id_ <= 0) return;
    send(SIGKILL);
    wait();
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;

  bool running() {
    if (id_ <= 0) return false;
    int status = 0;
    if (::waitpid(id_, &status, WNOHANG) != id_) return true;
    ended(status);
    return false;
  }
  // To this process only, and only while it runs: kill() with -1 would mean every process there is.
  void send(int signal) {
    if (id_ > 0) ::kill(id_, signal);
  }
  // Until condition() holds, leaving the processor to others between the questions; false when the process
  // ends before, or hangs and is then killed.
  template <class Condition>
  bool runs_until(Condition condition) {
    const auto start = std::chrono::steady_clock::now();
    while (!condition()) {
      if (!running()) return false;
      if (std::chrono::steady_clock::now() - start > kHanging) {
        send(SIGKILL);
        wait();
        return false;
      }
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
    return true;
  }
  // wait() after a signal that ends it; killed where that does not help.
  int end_by(int signal) {
    send(signal);
    runs_until([] { return false; });
    return wait();
  }
  // The exit code, or 128 and the signal that ended it, as a shell has it.
  int wait() {
    int status = 0;
    if (id_ > 0 && ::waitpid(id_, &status, 0) == id_) ended(status);
    return code_;
  }

  std::string out() const { return read_file(output_); }
  std::string errors() const { return read_file(folder_.path("errors")); }

 private:
  void ended(int status) {
    code_ = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    id_ = -1;
  }

  // No test's process works so long on what is asked of it, under a sanitizer and beside others.
  static constexpr std::chrono::seconds kHanging{100};

  TemporaryFolder folder_;
  std::string output_;
  pid_t id_ = -1;
  int code_ = -1;
};

struct Result {
  int code;
  std::string out, errors;
};

inline Result run_heed(const std::vector<std::string>& arguments, const std::string& input = "/dev/null") {
  Process process(arguments, input);
  const int code = process.wait();
  return {code, process.out(), process.errors()};
}

}  // namespace heed::test
