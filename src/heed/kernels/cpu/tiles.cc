#include "heed/kernels/cpu/tiles.h"

#include <algorithm>
#include <atomic>
#include <vector>

#include "heed/base/error.h"
#include "heed/kernels/cpu_level.h"

namespace heed::kernels::cpu {
namespace {

std::atomic<bool> emulation_wanted{false};

// Whole numbers so small that every sum of products is exact, in any order.
std::vector<Bf16> small_numbers(int64_t size, int64_t step, int64_t numbers) {
  const int64_t middle = numbers / 2;
  std::vector<Bf16> values(size);
  for (int64_t i = 0; i < size; ++i) values[i] = Bf16(static_cast<float>(i * step % numbers - middle));
  return values;
}

// A product whose edges are cut, through each kernel.
std::vector<float> try_edges(const TileKernels& kernels) {
  const int64_t rows = 45, depth = 70, columns = 50;
  const std::vector<Bf16> left = small_numbers(depth * rows, 7, 13),
                          right = small_numbers(depth * columns, 5, 11);
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

// What training does most: whole blocks to Bf16, and onto f32 sums. The right factor comes both ways. Returns
// whether they are as plain loops have them.
bool whole_blocks_are_right(const TileKernels& kernels) {
  const int64_t size = 64;  // of all sides
  const std::vector<Bf16> left = small_numbers(size * size, 7, 13), right = small_numbers(size * size, 5, 11);
  std::vector<Bf16> b(tiled_size(size, size)), b_transposed(b), narrow(size * size);
  std::vector<float> sums(size * size, 5.0f), right_transposed(size * size);
  for (int64_t i = 0; i < size * size; ++i) right_transposed[i % size * size + i / size] = float(right[i]);
  kernels.interleave(right.data(), size, size, size, b.data());
  kernels.interleave_columns(right_transposed.data(), size, size, size, b_transposed.data());
  TileProduct product{.rows = size,
                      .depth = size,
                      .columns = size,
                      .a = left.data(),
                      .a_stride = size,
                      .b = b.data(),
                      .b_panel_stride = tile_panel_size(size),
                      .relu = true,
                      .c_bf16 = narrow.data(),
                      .c_stride = size};
  kernels.multiply(product);
  product.b = b_transposed.data();
  product.relu = false;
  product.accumulate = true;
  product.c = sums.data();
  product.c_bf16 = nullptr;
  kernels.multiply(product);
  for (int64_t r = 0; r < size; ++r) {
    for (int64_t n = 0; n < size; ++n) {
      float sum = 0.0f;
      for (int64_t k = 0; k < size; ++k)
        sum += static_cast<float>(left[r * size + k]) * static_cast<float>(right[k * size + n]);
      if (narrow[r * size + n].bits != Bf16(std::max(0.0f, sum)).bits) return false;
      if (sums[r * size + n] != 5.0f + sum) return false;
    }
  }
  return true;
}

const TileKernels& checked(const TileKernels* kernels) {
  require(
      kernels != nullptr,
      "this build has no kernels for the processor's bf16 products; set HEED_CPU=avx512 to do without them");
  require(
      try_edges(*kernels) == try_edges(emulated_tile_kernels()) && whole_blocks_are_right(*kernels),
      "the processor's bf16 products are not what they should be; set HEED_CPU=avx512 to do without them");
  return *kernels;
}

}  // namespace

const TileKernels& tile_kernels() {
  if (!multiplies_bf16() || emulation_wanted.load(std::memory_order_relaxed)) return emulated_tile_kernels();
  if (cpu_level() == CpuLevel::amx) {
    static const TileKernels& kernels = checked(amx_tile_kernels());
    return kernels;
  }
  static const TileKernels& kernels = checked(dot_tile_kernels());
  return kernels;
}

bool tiles_in_use() {
  return multiplies_bf16() || emulation_wanted.load(std::memory_order_relaxed);
}

void emulate_tiles(bool on) {
  emulation_wanted = on;
}

}  // namespace heed::kernels::cpu
