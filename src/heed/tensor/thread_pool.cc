#include "heed/tensor/thread_pool.h"

#if defined(__linux__)
#include <sched.h>
#endif
#if defined(__SSE2__)
#include <immintrin.h>
#endif

#include <algorithm>
#include <system_error>

#include "heed/base/error.h"

namespace heed {
namespace {

// Denormal numbers, read or made, are zero while it lives.
#if defined(__SSE2__)
class WithoutDenormals {
 public:
  WithoutDenormals() : before_(_mm_getcsr()) { _mm_setcsr(before_ | kFlushToZero | kDenormalsAreZero); }
  ~WithoutDenormals() { _mm_setcsr(before_); }
  WithoutDenormals(const WithoutDenormals&) = delete;
  WithoutDenormals& operator=(const WithoutDenormals&) = delete;

 private:
  static constexpr unsigned kFlushToZero = 1u << 15, kDenormalsAreZero = 1u << 6;
  unsigned before_;
};
#else
struct WithoutDenormals {
  WithoutDenormals() {}  // other processors keep them
};
#endif

// A kernel is some 50 microseconds; a worker that waits longer than a few of those sleeps.
constexpr int kSpins = 4000;
constexpr uint64_t kOpen = 1;
constexpr uint64_t kOneInside = 2;
constexpr uint64_t kInsideMask = 0xFFFFFFFEu;
constexpr uint64_t kOneGeneration = uint64_t{1} << 32;

thread_local bool inside_task = false;

void pause_briefly() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  asm volatile("yield");
#endif
}

}  // namespace

int thread_count(int64_t asked) {
  if (asked > 0) return static_cast<int>(asked);
#if defined(__linux__)
  cpu_set_t usable;
  if (sched_getaffinity(0, sizeof(usable), &usable) == 0) return CPU_COUNT(&usable);
#endif
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

ThreadPool::ThreadPool(int threads) {
  require(threads >= 1, "thread pool: {} threads; at least 1 is needed", threads);
  try {
    for (int i = 1; i < threads; ++i) workers_.emplace_back([this] { worker_loop(); });
  } catch (const std::system_error& error) {
    const size_t started = workers_.size() + 1;
    stop();
    fail_input("only {} of {} threads could be started ({}); ask for fewer", started, threads, error.what());
  }
}

ThreadPool::~ThreadPool() {
  stop();
}

void ThreadPool::stop() {
  stopping_ = true;
  ++wake_;
  wake_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::run_job(Job job) {
  const WithoutDenormals zero;
  if (workers_.empty() || job.pieces <= 1 || inside_task) {
    for (int64_t piece = 0; piece < job.pieces; ++piece) job.call(job.task, piece);
    return;
  }
  job_ = job;
  next_piece_.store(0, std::memory_order_relaxed);
  door_.store((door_.load(std::memory_order_relaxed) & ~(kOneGeneration - 1)) + kOneGeneration + kOpen);
  ++wake_;
  if (sleeping_ > 0) wake_.notify_all();

  inside_task = true;
  work();
  inside_task = false;
  door_.fetch_and(~kOpen);
  for (int spins = 0; (door_.load() & kInsideMask) != 0; ++spins) {
    if (spins < kSpins) {
      pause_briefly();
    } else {
      std::this_thread::yield();
    }
  }
  if (exception_) std::rethrow_exception(std::exchange(exception_, nullptr));
}

void ThreadPool::work() {
  const Job job = job_;
  for (;;) {
    const int64_t piece = next_piece_.fetch_add(1, std::memory_order_relaxed);
    if (piece >= job.pieces) return;
    try {
      job.call(job.task, piece);
    } catch (...) {
      record_exception();
      next_piece_.store(job.pieces, std::memory_order_relaxed);
    }
  }
}

void ThreadPool::record_exception() noexcept {
  const std::lock_guard lock(exception_mutex_);
  if (!exception_) exception_ = std::current_exception();
}

void ThreadPool::worker_loop() {
  const WithoutDenormals zero;
  inside_task = true;
  uint64_t last_generation = 0;
  for (;;) {
    bool entered = false;
    for (int spins = 0; !entered; ++spins) {
      const uint32_t wake = wake_.load();
      if (stopping_) return;
      uint64_t door = door_.load();
      if ((door & kOpen) != 0 && (door >> 32) != last_generation) {
        entered = door_.compare_exchange_strong(door, door + kOneInside);
        if (entered) last_generation = door >> 32;
      } else if (spins < kSpins) {
        pause_briefly();
      } else {
        ++sleeping_;
        wake_.wait(wake);
        --sleeping_;
        spins = 0;
      }
    }
    work();
    door_.fetch_sub(kOneInside);
  }
}

}  // namespace heed
