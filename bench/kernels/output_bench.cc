// The output layer of Transformer-Tiny and base. Letters: R rows, D width, V words.
#include "bench/kernels/bench.h"
#include "heed/kernels/cpu_level.h"
#include "heed/kernels/output.h"

namespace heed::kernels {
namespace {

struct Shape {
  explicit Shape(const benchmark::State& state) : R(state.range(0)), D(state.range(1)), V(state.range(2)) {}
  double operations() const { return 2.0 * static_cast<double>(R) * static_cast<double>(D * V); }
  double weight_bytes(int64_t element) const { return static_cast<double>(D * V * element); }
  int64_t R, D, V;
};

template <class T>
void loss_and_gradient(benchmark::State& state) {
  const Shape s(state);
  const auto x = bench_values<T>(s.R * s.D);
  const auto weight = bench_values(s.V * s.D), bias = bench_values(s.V);
  const PackedMatrix packed(bench_pool(), weight.data(), s.D, s.V, 1, s.D, dtype_of<T>);
  const PackedMatrix back(bench_pool(), weight.data(), s.V, s.D, s.D, 1, dtype_of<T>);
  std::vector<int32_t> targets(s.R);
  for (int64_t r = 0; r < s.R; ++r) targets[r] = static_cast<int32_t>(uniform_below(2, r, s.V));
  std::vector<float> loss(s.R), dweight(s.V * s.D), dbias(s.V);
  std::vector<T> dx(s.R * s.D);
  for (auto _ : state) {
    output_loss(bench_pool(), OutputLossArgs<T>{.rows = s.R,
                                                .width = s.D,
                                                .words = s.V,
                                                .x = x.data(),
                                                .weight = &packed,
                                                .weight_back = &back,
                                                .bias = bias.data(),
                                                .targets = targets.data(),
                                                .smoothing = 0.1f,
                                                .loss = loss.data(),
                                                .dx = dx.data(),
                                                .dweight = dweight.data(),
                                                .dbias = dbias.data()});
  }
  report(state, 3 * s.operations(), s.weight_bytes(4 + 2 * sizeof(T)));
}

template <class T>
void top_8(benchmark::State& state) {
  const Shape s(state);
  const auto x = bench_values<T>(s.R * s.D);
  const auto weight = bench_values(s.V * s.D), bias = bench_values(s.V);
  const PackedMatrix packed(bench_pool(), weight.data(), s.D, s.V, 1, s.D, dtype_of<T>);
  std::vector<int32_t> ids(s.R * 8);
  std::vector<float> log_probs(s.R * 8);
  for (auto _ : state) {
    output_top_k(bench_pool(), OutputTopKArgs<T>{.rows = s.R,
                                                 .width = s.D,
                                                 .words = s.V,
                                                 .x = x.data(),
                                                 .weight = &packed,
                                                 .bias = bias.data(),
                                                 .k = 8,
                                                 .ids = ids.data(),
                                                 .log_probs = log_probs.data()});
  }
  report(state, s.operations(), s.weight_bytes(sizeof(T)));
}

void training_shapes(benchmark::internal::Benchmark* bench) {
  use_right_clock(bench);
  bench->ArgNames({"R", "D", "V"})->Args({500, 128, 9712})->Args({3700, 128, 9712})->Args({1850, 512, 32000});
}

void decoding_shapes(benchmark::internal::Benchmark* bench) {
  use_right_clock(bench);
  bench->ArgNames({"R", "D", "V"});
  for (const int rows : {1, 4, 32, 128}) bench->Args({rows, 128, 9712})->Args({rows, 512, 32000});
}

BENCHMARK(loss_and_gradient<float>)->Apply(training_shapes);
BENCHMARK(top_8<float>)->Apply(decoding_shapes);

// Bf16 is worth measuring where the processor multiplies it.
const bool bf16_registered = [] {
  if (!multiplies_bf16()) return false;
  training_shapes(benchmark::RegisterBenchmark("loss_and_gradient<Bf16>", loss_and_gradient<Bf16>));
  decoding_shapes(benchmark::RegisterBenchmark("top_8<Bf16>", top_8<Bf16>));
  return true;
}();

}  // namespace
}  // namespace heed::kernels
