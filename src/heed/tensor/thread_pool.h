// A small pool. Work is cut into pieces by shape alone, so that results never depend on how many threads
// there are; which thread runs which piece is unspecified. The calling thread works too.
#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

namespace heed {

// How many threads to start when so many are asked for. 0: one for each processor that this process may run
// on, of which taskset or a container may leave fewer than the machine has.
int thread_count(int64_t asked);

class ThreadPool {
 public:
  // threads counts the caller: ThreadPool(1) starts none. Throws Error when threads < 1, InputError when
  // the system does not give so many.
  explicit ThreadPool(int threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  int threads() const { return static_cast<int>(workers_.size()) + 1; }

  // Calls task(piece) once for every piece in [0, pieces) and returns when all are done. The first exception
  // is rethrown here, pieces not yet begun are then left out. A call from inside a task runs its pieces
  // inline. Only one thread may own the pool and call this. In a task denormal numbers count as zero, on any
  // thread: moments of words that no longer occur decay to them, and processors then take a hundred cycles
  // for an addition.
  template <class Task>
  void run(int64_t pieces, Task&& task) {
    using Plain = std::remove_reference_t<Task>;
    run_job({[](void* t, int64_t piece) { (*static_cast<Plain*>(t))(piece); },
             const_cast<void*>(static_cast<const void*>(&task)), pieces});
  }

  // Cuts [0, size) into ranges of `grain` (the last may be shorter) and calls task(begin, end) for each.
  template <class Task>
  void run_ranges(int64_t size, int64_t grain, Task&& task) {
    run((size + grain - 1) / grain, [&](int64_t piece) {
      const int64_t begin = piece * grain;
      task(begin, begin + grain < size ? begin + grain : size);
    });
  }

 private:
  struct Job {
    void (*call)(void* task, int64_t piece) = nullptr;
    void* task = nullptr;
    int64_t pieces = 0;
  };

  void run_job(Job job);
  void work();  // takes pieces until none is left
  void worker_loop();
  void stop();  // all workers, and waits for them
  void record_exception() noexcept;

  std::vector<std::thread> workers_;
  Job job_;
  std::atomic<int64_t> next_piece_{0};
  // generation << 32 | workers inside the job << 1 | job open. Workers enter by compare-and-swap while it is
  // open; one that sleeps through a whole job delays nobody.
  std::atomic<uint64_t> door_{0};
  std::atomic<uint32_t> wake_{0};
  std::atomic<int> sleeping_{0};
  std::atomic<bool> stopping_{false};
  std::mutex exception_mutex_;
  std::exception_ptr exception_;
};

}  // namespace heed
