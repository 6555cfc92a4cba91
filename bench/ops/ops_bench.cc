// Every case of the op registry at the size of a training batch: forward, and forward with gradient. Built as
// heed_bench_ops; --benchmark_filter=attention chooses, --benchmark_filter=bf16 too.
#include <benchmark/benchmark.h>

#include "tests/ops/registry.h"

namespace heed::test {
namespace {

// Sentences of 3 to 24 tokens, as in captions, until there are 1,500; width 192 divides into two and three
// heads.
OpSize batch_size() {
  OpSize size{.lengths = {}, .width = 192};
  for (int32_t rows = 0, length = 3; rows < 1500; length = 3 + (length + 4) % 22) {
    size.lengths.push_back(length);
    rows += length;
  }
  return size;
}

// The time is what the op itself notes in the profile, which leaves out what the case does around it.
void run(benchmark::State& state, const OpCase& op_case, DType precision, bool gradient) {
  Context c(thread_count(0), precision);
  OpRunner runner(c, op_case, batch_size(), 1);
  double seconds = 0.0, flops = 0.0, bytes = 0.0;
  for (auto _ : state) {
    Profile profile;
    c.profile = &profile;
    if (gradient) {
      runner.forward_backward();
    } else {
      runner.forward();
    }
    double spent = 0.0;
    for (const auto& [name, entry] : profile.entries()) {
      spent += entry.seconds;
      flops += entry.flops;
      bytes += entry.bytes;
    }
    state.SetIterationTime(spent);
    seconds += spent;
  }
  state.counters["GFLOP/s"] = 1e-9 * flops / seconds;
  state.counters["GB/s"] = 1e-9 * bytes / seconds;
}

}  // namespace
}  // namespace heed::test

int main(int argc, char** argv) {
  using namespace heed::test;
  for (const Op& op : registered_ops()) {
    for (const OpCase& op_case : op.cases) {
      for (const heed::DType precision : {heed::DType::f32, heed::DType::bf16}) {
        for (const bool gradient : {false, true}) {
          if (gradient && !op.has_gradient) continue;
          const std::string name = op.name + "/" + op_case.name + (gradient ? "/gradient/" : "/forward/") +
                                   std::string(heed::name_of(precision));
          benchmark::RegisterBenchmark(name.c_str(),
                                       [&op_case, precision, gradient](benchmark::State& state) {
                                         run(state, op_case, precision, gradient);
                                       })
              ->Unit(benchmark::kMicrosecond)
              ->UseManualTime();
        }
      }
    }
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
}
