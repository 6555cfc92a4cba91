// Products of the shapes that Transformer-Tiny and base make, against the processor's peak and, where it is
// installed, oneDNN. Letters: R rows, K inner width, N outer width.
#include "bench/kernels/bench.h"
#include "heed/kernels/cpu/product.h"
#include "heed/kernels/cpu_level.h"
#include "heed/kernels/matmul.h"

#ifdef HEED_WITH_ONEDNN
#include <dnnl.hpp>
#endif

namespace heed::kernels {
namespace {

void shapes(benchmark::internal::Benchmark* bench) {
  use_right_clock(bench);
  bench->ArgNames({"R", "K", "N"});
  for (const auto& [k, n] : {std::pair{128, 128}, {128, 384}, {128, 256}, {256, 128}})
    bench->Args({3700, k, n});
  for (const auto& [k, n] : {std::pair{512, 512}, {512, 1536}, {512, 2048}, {2048, 512}})
    bench->Args({1850, k, n});
  for (const int rows : {1, 4, 32, 128}) bench->Args({rows, 512, 512});
}

// What one thread can do at most on this level, measured in the same run.
void peak_f32(benchmark::State& state) {
  float numbers[3] = {1e-3f, 1e-3f, 0};
  int64_t done = 0;
  cpu_level();
  for (auto _ : state) done = cpu::peak_multiply_adds(1 << 16, numbers);
  report(state, 2.0 * static_cast<double>(done), 0);
}
BENCHMARK(peak_f32)->Unit(benchmark::kMicrosecond);

struct Shape {
  explicit Shape(const benchmark::State& state) : R(state.range(0)), K(state.range(1)), N(state.range(2)) {}
  double operations() const { return 2.0 * static_cast<double>(R) * static_cast<double>(K * N); }
  double elements() const { return static_cast<double>(R * K + K * N + R * N); }
  int64_t R, K, N;
};

template <class T>
void forward(benchmark::State& state) {
  const Shape s(state);
  const auto x = bench_values<T>(s.R * s.K);
  const auto weight = bench_values(s.K * s.N), bias = bench_values(s.N);
  const PackedMatrix packed(bench_pool(), weight.data(), s.K, s.N, 1, s.K, dtype_of<T>);
  std::vector<T> y(s.R * s.N);
  for (auto _ : state) {
    matmul(bench_pool(), MatmulArgs<T>{.x = x.data(),
                                       .x_stride = s.K,
                                       .rows = s.R,
                                       .b = &packed,
                                       .bias = bias.data(),
                                       .y = y.data(),
                                       .y_stride = s.N});
  }
  report(state, s.operations(), s.elements() * sizeof(T));
}
BENCHMARK(forward<float>)->Apply(shapes);

template <class T>
void gradient_of_weight(benchmark::State& state) {
  const Shape s(state);
  const auto x = bench_values<T>(s.R * s.K), dy = bench_values<T>(s.R * s.N);
  std::vector<float> dw(s.K * s.N), dbias(s.N);
  for (auto _ : state) {
    weight_gradient(bench_pool(), WeightGradientArgs<T>{.dy = dy.data(),
                                                        .dy_stride = s.N,
                                                        .x = x.data(),
                                                        .x_stride = s.K,
                                                        .rows = s.R,
                                                        .inner = s.K,
                                                        .outer = s.N,
                                                        .dw = dw.data(),
                                                        .dbias = dbias.data()});
  }
  report(state, s.operations(), s.elements() * sizeof(T));
}
BENCHMARK(gradient_of_weight<float>)->Apply(shapes);

void pack(benchmark::State& state) {
  const Shape s(state);
  const auto weight = bench_values(s.K * s.N);
  for (auto _ : state) PackedMatrix(bench_pool(), weight.data(), s.K, s.N, 1, s.K, DType::f32);
  report(state, 0, 8.0 * static_cast<double>(s.K * s.N));
}
BENCHMARK(pack)->Apply(shapes);

// Bf16 is worth measuring where the processor multiplies it.
const bool bf16_registered = [] {
  if (!multiplies_bf16()) return false;
  shapes(benchmark::RegisterBenchmark("forward<Bf16>", forward<Bf16>));
  shapes(benchmark::RegisterBenchmark("gradient_of_weight<Bf16>", gradient_of_weight<Bf16>));
  return true;
}();

#ifdef HEED_WITH_ONEDNN
// The same product by oneDNN with a weight in the order of its choice, with the threads that OMP_NUM_THREADS
// says.
void forward_onednn(benchmark::State& state) {
  using dnnl::memory;
  const Shape s(state);
  auto x = bench_values(s.R * s.K), bias = bench_values(s.N);
  std::vector<float> y(s.R * s.N), weight = bench_values(s.K * s.N);
  const dnnl::engine engine(dnnl::engine::kind::cpu, 0);
  dnnl::stream stream(engine);
  const memory::desc x_desc({s.R, s.K}, memory::data_type::f32, memory::format_tag::ab);
  const memory::desc plain_desc({s.K, s.N}, memory::data_type::f32, memory::format_tag::ba);
  const memory::desc any_desc({s.K, s.N}, memory::data_type::f32, memory::format_tag::any);
  const memory::desc bias_desc({1, s.N}, memory::data_type::f32, memory::format_tag::ab);
  const memory::desc y_desc({s.R, s.N}, memory::data_type::f32, memory::format_tag::ab);
  const dnnl::matmul::primitive_desc description({x_desc, any_desc, bias_desc, y_desc}, engine);
  const dnnl::matmul product(description);
  memory plain(plain_desc, engine, weight.data()), packed(description.weights_desc(), engine);
  dnnl::reorder(plain, packed).execute(stream, plain, packed);
  const std::unordered_map<int, memory> arguments{{DNNL_ARG_SRC, memory(x_desc, engine, x.data())},
                                                  {DNNL_ARG_WEIGHTS, packed},
                                                  {DNNL_ARG_BIAS, memory(bias_desc, engine, bias.data())},
                                                  {DNNL_ARG_DST, memory(y_desc, engine, y.data())}};
  for (auto _ : state) {
    product.execute(stream, arguments);
    stream.wait();
  }
  report(state, s.operations(), s.elements() * 4);
}
BENCHMARK(forward_onednn)->Apply(shapes);
#endif

}  // namespace
}  // namespace heed::kernels
