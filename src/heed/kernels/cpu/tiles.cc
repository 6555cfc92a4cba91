#include "heed/kernels/cpu/tiles.h"

#include <algorithm>
#include <atomic>
#include <vector>

#include "heed/base/error.h"
#include "heed/kernels/cpu_level.h"

namespace heed::kernels::cpu {
namespace {

std::atomic<bool> emulation_wanted{false};

// A product of whole numbers so small that every sum is exact, in any order, through each kernel.
std::vector<float> try_out(const TileKernels& kernels) {
  const int64_t rows = 45, depth = 70, columns = 50;
  std::vector<Bf16> left(depth * rows), right(depth * columns);
  for (int64_t i = 0; i < depth * rows; ++i) left[i] = Bf16(static_cast<float>(i * 7 % 13 - 6));
  for (int64_t i = 0; i < depth * columns; ++i) right[i] = Bf16(static_cast<float>(i * 5 % 11 - 5));
  std::vector<Bf16> b(tiled_size(depth, columns)), a(tiled_size(depth, rows));
  std::vector<float> bias(columns, 3.0f), result(rows * columns);
  kernels.interleave(right.data(), columns, depth, columns, b.data());
  kernels.transpose(left.data(), rows, depth, rows, a.data());
  TileProduct product{.rows = rows,
                      .depth = depth,
                      .columns = columns,
                      .a = a.data(),
                      .b = b.data(),
                      .b_panel_stride = tile_panel_size(depth),
                      .bias = bias.data(),
                      .c = result.data(),
                      .c_stride = columns};
  kernels.multiply(product);
  product.a = left.data();  // and some rows as they are
  product.a_stride = depth;
  product.rows = 30;
  product.bias = nullptr;
  product.accumulate = product.relu = true;
  kernels.multiply(product);
  return result;
}

const TileKernels& checked_amx_kernels() {
  const TileKernels* const kernels = amx_tile_kernels();
  require(
      kernels != nullptr,
      "this build has no kernels for the processor's matrix units; set HEED_CPU=avx512 to do without them");
  require(
      try_out(*kernels) == try_out(emulated_tile_kernels()),
      "the processor's matrix units do not compute what they should; set HEED_CPU=avx512 to do without them");
  return *kernels;
}

}  // namespace

const TileKernels& tile_kernels() {
  if (!has_bf16_matrix_units() || emulation_wanted.load(std::memory_order_relaxed)) {
    return emulated_tile_kernels();
  }
  static const TileKernels& kernels = checked_amx_kernels();
  return kernels;
}

bool tiles_in_use() {
  return has_bf16_matrix_units() || emulation_wanted.load(std::memory_order_relaxed);
}

void emulate_tiles(bool on) {
  emulation_wanted = on;
}

}  // namespace heed::kernels::cpu
