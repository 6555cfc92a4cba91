// What the micro-benchmarks share. HEED_BENCH_THREADS says how many threads (1 where unset); rates count the
// processor time of the calling thread only when there is one thread, else the time on the clock.
#pragma once

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <vector>

#include "heed/base/random.h"
#include "heed/tensor/thread_pool.h"

namespace heed::kernels {

inline int bench_threads() {
  const char* threads = std::getenv("HEED_BENCH_THREADS");
  return threads != nullptr ? std::max(1, std::atoi(threads)) : 1;
}

inline ThreadPool& bench_pool() {
  static ThreadPool pool(bench_threads());
  return pool;
}

template <class T = float>
std::vector<T> bench_values(int64_t size) {
  std::vector<T> values(size);
  for (int64_t i = 0; i < size; ++i) values[i] = T(static_cast<float>(uniform(1, i) - 0.5));
  return values;
}

// operations: multiplications and additions of one iteration; bytes: what it must read and write.
inline void report(benchmark::State& state, double operations, double bytes) {
  const double rounds = static_cast<double>(state.iterations());
  state.counters["GFLOP/s"] = benchmark::Counter(operations * rounds * 1e-9, benchmark::Counter::kIsRate);
  state.counters["GB/s"] = benchmark::Counter(bytes * rounds * 1e-9, benchmark::Counter::kIsRate);
}

// Clock time where several threads work, else this thread's own, which busy neighbours disturb less.
inline void use_right_clock(benchmark::internal::Benchmark* bench) {
  bench->Unit(benchmark::kMicrosecond);
  if (bench_threads() > 1) bench->UseRealTime();
}

}  // namespace heed::kernels
