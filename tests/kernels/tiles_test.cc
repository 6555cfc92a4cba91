#include "heed/kernels/cpu/tiles.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "heed/base/error.h"
#include "heed/base/random.h"
#include "heed/kernels/cpu_level.h"

namespace heed::kernels::cpu {
namespace {

// Whole numbers, so that every product and sum is exact.
std::vector<Bf16> small_integers(uint64_t seed, int64_t size) {
  std::vector<Bf16> values(size);
  for (int64_t i = 0; i < size; ++i) values[i] = Bf16(static_cast<float>(uniform_below(seed, i, 9)) - 4);
  return values;
}

std::vector<float> plain_product(const std::vector<Bf16>& a, const std::vector<Bf16>& b, int64_t R, int64_t K,
                                 int64_t N) {
  std::vector<float> c(R * N, 0.0f);
  for (int64_t r = 0; r < R; ++r) {
    for (int64_t k = 0; k < K; ++k) {
      for (int64_t n = 0; n < N; ++n) c[r * N + n] += float(a[r * K + k]) * float(b[k * N + n]);
    }
  }
  return c;
}

struct Kind {
  const char* name;
  const TileKernels* kernels;
};

// Those that run on this machine: the names of the tests tell which.
std::vector<Kind> kinds() {
  std::vector<Kind> all = {{"emulated", &emulated_tile_kernels()}};
  const CpuLevel best = available_cpu_levels().back();
  if (best >= CpuLevel::avx512_bf16 && dot_tile_kernels() != nullptr)
    all.push_back({"avx512_bf16", dot_tile_kernels()});
  if (best >= CpuLevel::amx && amx_tile_kernels() != nullptr) all.push_back({"amx", amx_tile_kernels()});
  return all;
}

class Tiles : public testing::TestWithParam<Kind> {
 protected:
  const TileKernels& kernels_ = *GetParam().kernels;
};

INSTANTIATE_TEST_SUITE_P(Kinds, Tiles, testing::ValuesIn(kinds()),
                         [](const auto& info) { return info.param.name; });

TEST_P(Tiles, InterleavedRowsAreWhereTheHeaderSays) {
  const int64_t K = 37, N = 45;
  const std::vector<Bf16> b = small_integers(1, K * N);
  std::vector<Bf16> tiled(tiled_size(K, N), Bf16(NAN));
  kernels_.interleave(b.data(), N, K, N, tiled.data());
  for (int64_t k = 0; k < 64; ++k) {
    for (int64_t n = 0; n < 64; ++n) {
      const int64_t tile = n / 32 * tile_panel_size(K) + (k / 32 * 2 + n % 32 / 16) * kTileSize;
      ASSERT_EQ(tiled_position(K, k, n), tile + k % 32 / 2 * 32 + n % 16 * 2 + k % 2);
      const float value = float(tiled[tile + k % 32 / 2 * 32 + n % 16 * 2 + k % 2]);
      ASSERT_EQ(value, k < K && n < N ? float(b[k * N + n]) : 0.0f) << k << ", " << n;
    }
  }
}

TEST_P(Tiles, WeightsAreInterleavedAsTheirRoundedRowsAre) {
  for (const int64_t K : {1, 31, 32, 37, 64}) {
    for (const int64_t N : {1, 16, 17, 32, 45, 64}) {
      std::vector<float> b(K * N), transposed(N * K);
      for (int64_t i = 0; i < K * N; ++i) b[i] = static_cast<float>(2 * uniform(1, i) - 1);
      for (int64_t i = 0; i < K * N; ++i) transposed[i % N * K + i / N] = b[i];
      const std::vector<Bf16> rounded(b.begin(), b.end());
      std::vector<Bf16> expected(tiled_size(K, N), Bf16(NAN)), rows = expected, columns = expected;
      kernels_.interleave(rounded.data(), N, K, N, expected.data());
      kernels_.interleave_f32(b.data(), N, K, N, rows.data());
      kernels_.interleave_columns(transposed.data(), K, N, K, columns.data());
      const size_t bytes = expected.size() * sizeof(Bf16);
      ASSERT_EQ(0, std::memcmp(expected.data(), rows.data(), bytes)) << K << " x " << N;
      ASSERT_EQ(0, std::memcmp(expected.data(), columns.data(), bytes)) << K << " x " << N;
    }
  }
}

TEST_P(Tiles, ProductsOfRowsAndOfTheirTranspose) {
  for (const int64_t R : {1, 15, 16, 17, 31, 32, 33, 64, 129}) {
    for (const int64_t K : {1, 31, 32, 33, 100}) {
      for (const int64_t N : {1, 16, 33, 64, 70}) {
        const std::vector<Bf16> a = small_integers(1, R * K), b = small_integers(2, K * N);
        std::vector<Bf16> a_columns(K * R), left(tiled_size(K, R)), right(tiled_size(K, N));
        for (int64_t i = 0; i < R * K; ++i) a_columns[i % K * R + i / K] = a[i];
        kernels_.interleave(b.data(), N, K, N, right.data());
        kernels_.transpose(a_columns.data(), R, K, R, left.data());
        std::vector<float> c(R * N, NAN);
        TileProduct product{.rows = R,
                            .depth = K,
                            .columns = N,
                            .a = a.data(),
                            .a_stride = K,
                            .b = right.data(),
                            .b_panel_stride = tile_panel_size(K),
                            .c = c.data(),
                            .c_stride = N};
        kernels_.multiply(product);
        const std::vector<float> expected = plain_product(a, b, R, K, N);
        ASSERT_EQ(c, expected) << R << " x " << K << " x " << N;
        product.a = left.data();
        product.a_stride = 0;
        product.accumulate = true;
        kernels_.multiply(product);
        for (int64_t i = 0; i < R * N; ++i) ASSERT_EQ(c[i], 2 * expected[i]) << R << " x " << K << " x " << N;
      }
    }
  }
}

// Bias, what C held and ReLU, to both types, with whole blocks and with edges.
TEST_P(Tiles, ProductsStartWhereTheyShouldAndAreRectified) {
  for (const auto [R, K, N] :
       {std::array<int64_t, 3>{64, 64, 64}, {32, 2048, 32}, {96, 32, 64}, {33, 70, 45}, {7, 0, 5}}) {
    const std::vector<Bf16> a = small_integers(1, R * K), b = small_integers(2, K * N);
    const std::vector<float> sums = plain_product(a, b, R, K, N);
    std::vector<Bf16> right(tiled_size(K, N));
    kernels_.interleave(b.data(), N, K, N, right.data());
    std::vector<float> bias(N);
    for (int64_t n = 0; n < N; ++n) bias[n] = static_cast<float>(n % 7) - 3;
    for (int options = 0; options < 8; ++options) {
      SCOPED_TRACE(testing::Message() << R << " x " << K << " x " << N << " options " << options);
      const bool biased = (options & 1) != 0, accumulate = (options & 2) != 0, relu = (options & 4) != 0;
      std::vector<float> c(R * N);
      std::vector<Bf16> c_bf16(R * N);
      for (int64_t i = 0; i < R * N; ++i) c_bf16[i] = Bf16(c[i] = static_cast<float>(i % 5) - 2);
      c[0] = -0.0f, c[1] = NAN;
      c_bf16[0] = Bf16(c[0]), c_bf16[1] = Bf16(c[1]);
      const std::vector<float> before = c;
      TileProduct product{.rows = R,
                          .depth = K,
                          .columns = N,
                          .a = a.data(),
                          .a_stride = std::max<int64_t>(1, K),
                          .b = right.data(),
                          .b_panel_stride = tile_panel_size(K),
                          .bias = biased ? bias.data() : nullptr,
                          .accumulate = accumulate,
                          .relu = relu,
                          .c = c.data(),
                          .c_stride = N};
      kernels_.multiply(product);
      product.c = nullptr;
      product.c_bf16 = c_bf16.data();
      kernels_.multiply(product);
      for (int64_t i = 0; i < R * N; ++i) {
        float expected = sums[i] + (biased ? bias[i % N] : 0.0f) + (accumulate ? before[i] : 0.0f);
        if (relu && expected < 0) expected = 0.0f;
        if (std::isnan(expected)) {
          ASSERT_TRUE(std::isnan(c[i]) && std::isnan(float(c_bf16[i]))) << i;
        } else {
          ASSERT_EQ(c[i], expected) << i;
          ASSERT_EQ(float(c_bf16[i]), float(Bf16(expected))) << i;
        }
      }
    }
  }
}

// Where the processor multiplies Bf16, its own kernels serve, which their first use has compared with the
// emulated ones; elsewhere those do, and wherever a test asks for them.
class TilesOfLevel : public testing::TestWithParam<CpuLevel> {
 protected:
  void SetUp() override { set_cpu_level(GetParam()); }
  void TearDown() override {
    emulate_tiles(false);
    set_cpu_level(before_);
  }

 private:
  const CpuLevel before_ = cpu_level();
};

TEST_P(TilesOfLevel, AreThoseOfTheProcessor) {
  const bool multiplies = GetParam() >= CpuLevel::avx512_bf16;
  EXPECT_EQ(tiles_in_use(), multiplies);
  const TileKernels* own = &emulated_tile_kernels();
  if (multiplies) own = GetParam() == CpuLevel::amx ? amx_tile_kernels() : dot_tile_kernels();
  if (own == nullptr) {
    EXPECT_THROW(tile_kernels(), Error);  // the compiler knows none
  } else {
    EXPECT_EQ(&tile_kernels(), own);
  }
  emulate_tiles(true);
  EXPECT_TRUE(tiles_in_use());
  EXPECT_EQ(&tile_kernels(), &emulated_tile_kernels());
}

INSTANTIATE_TEST_SUITE_P(Levels, TilesOfLevel, testing::ValuesIn(available_cpu_levels()),
                         [](const auto& info) { return std::string(name_of(info.param)); });

}  // namespace
}  // namespace heed::kernels::cpu
