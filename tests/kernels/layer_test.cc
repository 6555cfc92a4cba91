// The fast kernels of the layer family against the plain ones, on every level; the same bytes with any number
// of threads.
#include "heed/kernels/layer.h"

#include <gtest/gtest.h>

#include <limits>

#include "heed/kernels/reference/layer.h"
#include "tests/support/bytes.h"
#include "tests/support/levels.h"
#include "tests/support/random_values.h"
#include "tests/support/tolerance.h"

namespace heed::kernels {
namespace {

using test::expect_close;
using test::normal_values;
using test::on_each_level;
using test::same_bytes;

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();

std::vector<uint64_t> row_keys(int64_t rows) {
  std::vector<uint64_t> keys(rows);
  for (int64_t r = 0; r < rows; ++r) keys[r] = mix64(77, static_cast<uint64_t>(r));
  return keys;
}

// Outputs start as NaN, so that an element that is never written fails.
template <class T>
std::vector<T> unwritten(int64_t size) {
  return std::vector<T>(size, static_cast<T>(kNaN));
}

struct Sizes {
  int64_t rows, width;
};
// Around multiples of every vector width, several pieces and parameter chunks, the widths of real models.
constexpr Sizes kSizes[] = {{0, 8},  {1, 1},    {3, 7},    {5, 8},   {4, 15},  {4, 16},  {2, 17},
                            {3, 31}, {130, 33}, {700, 64}, {9, 128}, {5, 130}, {2, 512}, {300, 257}};

template <class T>
class Layer : public testing::Test {};
using Types = testing::Types<float, Bf16>;
TYPED_TEST_SUITE(Layer, Types);

template <class T>
struct NormResult {
  std::vector<T> sum, normed, d_x, d_y;
  std::vector<float> mean, rstd, d_gain, d_bias;
};

// Runs forward and backward through `forward` and `backward`, the fast or the plain kernels.
template <class T, class Forward, class Backward>
NormResult<T> run_norm(Sizes sizes, bool with_y, bool with_norm, bool with_d_sum, float probability,
                       const NormResult<T>* before, Forward forward, Backward backward) {
  const auto [rows, width] = sizes;
  const int64_t size = rows * width;
  const auto x = normal_values<T>(size, 1), y = normal_values<T>(size, 2);
  const auto gain = normal_values<float>(width, 3), bias = normal_values<float>(width, 4);
  const auto d_normed = normal_values<T>(size, 5), d_sum = normal_values<T>(size, 6);
  const auto keys = row_keys(rows);
  NormResult<T> result{unwritten<T>(size),      unwritten<T>(size),     unwritten<T>(size),
                       unwritten<T>(size),      unwritten<float>(rows), unwritten<float>(rows),
                       unwritten<float>(width), unwritten<float>(width)};
  ResidualNormArgs<T> f{.rows = rows, .width = width, .x = x.data()};
  f.y = with_y ? y.data() : nullptr;
  f.dropout = {probability, 9};
  f.row_keys = keys.data();
  f.gain = with_norm ? gain.data() : nullptr;
  f.bias = bias.data();
  f.sum = result.sum.data();
  f.normed = result.normed.data();
  f.mean = result.mean.data();
  f.rstd = result.rstd.data();
  forward(f);

  const NormResult<T>& saved = before == nullptr ? result : *before;
  ResidualNormGradientArgs<T> b{.rows = rows, .width = width};
  b.sum = with_y ? saved.sum.data() : x.data();
  b.gain = f.gain;
  b.mean = saved.mean.data();
  b.rstd = saved.rstd.data();
  b.d_normed = with_norm ? d_normed.data() : nullptr;
  b.d_sum = with_d_sum ? d_sum.data() : nullptr;
  b.dropout = f.dropout;
  b.row_keys = keys.data();
  b.d_x = result.d_x.data();
  b.d_y = with_y ? result.d_y.data() : nullptr;
  b.d_gain = result.d_gain.data();
  b.d_bias = result.d_bias.data();
  backward(b);
  return result;
}

TYPED_TEST(Layer, ResidualNormAgreesWithThePlainOne) {
  using T = TypeParam;
  on_each_level([&] {
    for (const Sizes sizes : kSizes) {
      for (const bool with_y : {false, true}) {
        for (const bool with_norm : {false, true}) {
          for (const bool with_d_sum : {false, true}) {
            for (const float probability : {0.0f, 0.3f}) {
              if (!with_norm && !(with_y && with_d_sum)) continue;
              SCOPED_TRACE(testing::Message()
                           << sizes.rows << " x " << sizes.width << " y " << with_y << " norm " << with_norm
                           << " d_sum " << with_d_sum << " p " << probability);
              const auto plain = run_norm<T>(
                  sizes, with_y, with_norm, with_d_sum, probability, nullptr,
                  [](const auto& args) { reference::residual_norm(args); },
                  [](const auto& args) { reference::residual_norm_gradient(args); });
              NormResult<T> first;
              for (const int threads : {1, 2, 3, 7}) {
                ThreadPool pool(threads);
                const auto fast = run_norm<T>(
                    sizes, with_y, with_norm, with_d_sum, probability, &plain,
                    [&](const auto& args) { residual_norm(pool, args); },
                    [&](const auto& args) { residual_norm_gradient(pool, args); });
                if (threads == 1) {
                  // A row of width 1 or 2 may lose all its digits to the mean: rstd up to 1/sqrt(epsilon).
                  const double terms = 2.0 * static_cast<double>(sizes.width);
                  const double slack = sizes.width < 8 ? 316 : 1;
                  expect_close(fast.sum, plain.sum, 2, "sum");
                  expect_close(fast.normed, plain.normed, terms * slack, "normed");
                  expect_close(fast.mean, plain.mean, terms, "mean");
                  expect_close(fast.rstd, plain.rstd, terms * slack, "rstd");
                  const double size = sizes.width < 8 ? 1 / std::sqrt(1e-5) : 1;
                  expect_close(fast.d_x, plain.d_x, terms * slack, "d_x", size);
                  expect_close(fast.d_y, plain.d_y, terms * slack, "d_y", size);
                  if (with_norm) {
                    expect_close(fast.d_gain, plain.d_gain, static_cast<double>(sizes.rows) + 4, "d_gain");
                    expect_close(fast.d_bias, plain.d_bias, static_cast<double>(sizes.rows), "d_bias");
                  }
                  if (testing::Test::HasFatalFailure()) return;
                  first = fast;
                }
                ASSERT_TRUE(same_bytes(fast.sum, first.sum) && same_bytes(fast.normed, first.normed) &&
                            same_bytes(fast.d_x, first.d_x) && same_bytes(fast.d_y, first.d_y) &&
                            same_bytes(fast.d_gain, first.d_gain) && same_bytes(fast.d_bias, first.d_bias) &&
                            same_bytes(fast.mean, first.mean) && same_bytes(fast.rstd, first.rstd))
                    << threads << " threads";
              }
            }
          }
        }
      }
    }
  });
}

TYPED_TEST(Layer, ARowOfTheNormDoesNotDependOnItsNeighbours) {
  using T = TypeParam;
  constexpr int64_t rows = 37, width = 96;
  const auto x = normal_values<T>(rows * width, 1);
  const auto gain = normal_values<float>(width, 3), bias = normal_values<float>(width, 4);
  ThreadPool pool(2);
  on_each_level([&] {
    auto together = unwritten<T>(rows * width), alone = unwritten<T>(rows * width);
    ResidualNormArgs<T> args{.rows = rows, .width = width, .x = x.data()};
    args.gain = gain.data();
    args.bias = bias.data();
    args.normed = together.data();
    residual_norm(pool, args);
    args.rows = 1;
    for (int64_t r = rows - 1; r >= 0; --r) {
      args.x = x.data() + r * width;
      args.normed = alone.data() + r * width;
      residual_norm(pool, args);
    }
    EXPECT_TRUE(same_bytes(together, alone));
  });
}

TYPED_TEST(Layer, NaNInARowStaysInIt) {
  using T = TypeParam;
  constexpr int64_t rows = 3, width = 20;
  auto x = normal_values<T>(rows * width, 1);
  x[width + 7] = static_cast<T>(kNaN);
  const std::vector<float> gain(width, 1.0f), bias(width, 0.0f);
  ThreadPool pool(1);
  on_each_level([&] {
    std::vector<T> normed(rows * width);
    ResidualNormArgs<T> args{.rows = rows, .width = width, .x = x.data()};
    args.gain = gain.data();
    args.bias = bias.data();
    args.normed = normed.data();
    residual_norm(pool, args);
    for (int64_t i = 0; i < rows * width; ++i)
      EXPECT_EQ(std::isnan(static_cast<float>(normed[i])), i / width == 1) << i;
  });
}

TYPED_TEST(Layer, EmbeddingAgreesWithThePlainOne) {
  using T = TypeParam;
  constexpr int64_t words = 50, longest = 13;
  on_each_level([&] {
    for (const auto [rows, width] : kSizes) {
      for (const bool positions : {false, true}) {
        for (const float probability : {0.0f, 0.4f}) {
          SCOPED_TRACE(testing::Message() << rows << " x " << width);
          std::vector<int32_t> ids(rows), position(rows);
          for (int64_t r = 0; r < rows; ++r) {
            ids[r] = static_cast<int32_t>(uniform_below(5, static_cast<uint64_t>(r), words));
            position[r] = static_cast<int32_t>(r % longest);
          }
          const auto table = normal_values<float>(words * width, 1);
          const auto place = normal_values<float>(longest * width, 2);
          const auto dy = normal_values<T>(rows * width, 3);
          const auto keys = row_keys(rows);
          EmbeddingArgs<T> args{.rows = rows, .width = width, .ids = ids.data()};
          args.table = table.data();
          args.scale = 1.7f;
          args.positions = positions ? place.data() : nullptr;
          args.position = position.data();
          args.dropout = {probability, 8};
          args.row_keys = keys.data();
          auto plain = unwritten<T>(rows * width);
          args.y = plain.data();
          reference::embedding(args);
          const std::vector<float> before = normal_values<float>(words * width, 6);
          EmbeddingGradientArgs<T> gradient{.rows = rows, .width = width, .ids = ids.data(), .scale = 1.7f};
          gradient.position = position.data();
          gradient.dropout = args.dropout;
          gradient.row_keys = keys.data();
          gradient.dy = dy.data();
          std::vector<float> plain_table = before, plain_place(longest * width);
          gradient.d_table = plain_table.data();
          gradient.d_positions = positions ? plain_place.data() : nullptr;
          reference::embedding_gradient(gradient);
          std::vector<float> first_table, first_place;
          for (const int threads : {1, 2, 3, 7}) {
            ThreadPool pool(threads);
            auto fast = unwritten<T>(rows * width);
            args.y = fast.data();
            embedding(pool, args);
            std::vector<float> fast_table = before, fast_place(longest * width);
            gradient.d_table = fast_table.data();
            gradient.d_positions = positions ? fast_place.data() : nullptr;
            embedding_gradient(pool, gradient);
            if (threads == 1) {
              first_table = fast_table;
              first_place = fast_place;
            }
            expect_close(fast, plain, 2, "y");
            expect_close(fast_table, plain_table, static_cast<double>(rows), "d_table");
            expect_close(fast_place, plain_place, static_cast<double>(rows), "d_positions");
            if (testing::Test::HasFatalFailure()) return;
            ASSERT_TRUE(same_bytes(fast_table, first_table) && same_bytes(fast_place, first_place));
          }
        }
      }
    }
  });
}

TYPED_TEST(Layer, ActivationsAgreeWithThePlainOnes) {
  using T = TypeParam;
  ThreadPool pool(3);
  on_each_level([&] {
    for (const Activation activation : {Activation::none, Activation::relu, Activation::squared_relu,
                                        Activation::gelu, Activation::tanh, Activation::sigmoid}) {
      for (const auto [rows, width] : kSizes) {
        for (const float probability : {0.0f, 0.4f}) {
          SCOPED_TRACE(testing::Message() << static_cast<int>(activation) << ": " << rows << " x " << width);
          auto x = normal_values<T>(rows * width, 1, 3.0);
          if (rows * width > 3) x[3] = static_cast<T>(kNaN);
          const auto dy = normal_values<T>(rows * width, 2);
          const auto keys = row_keys(rows);
          ActivationArgs<T> args{.rows = rows, .width = width, .activation = activation};
          args.dropout = {probability, 4};
          args.row_keys = keys.data();
          args.x = x.data();
          auto fast = unwritten<T>(rows * width), plain = unwritten<T>(rows * width);
          args.y = plain.data();
          reference::activate(args);
          args.y = fast.data();
          activate(pool, args);
          expect_close(fast, plain, 2, "y");

          ActivationGradientArgs<T> gradient{.rows = rows, .width = width, .activation = activation};
          gradient.dropout = args.dropout;
          gradient.row_keys = keys.data();
          gradient.x = x.data();
          gradient.dy = dy.data();
          gradient.dx = plain.data();
          reference::activate_gradient(gradient);
          gradient.dx = fast.data();
          activate_gradient(pool, gradient);
          expect_close(fast, plain, 4, "dx");

          auto in_place = dy;
          gradient.dy = in_place.data();
          gradient.dx = in_place.data();
          activate_gradient(pool, gradient);
          EXPECT_TRUE(same_bytes(in_place, fast));
          if (testing::Test::HasFatalFailure()) return;
        }
      }
    }
  });
}

// The bits themselves: which elements stay is the same to the last one, at any column.
TYPED_TEST(Layer, DropoutDropsExactlyWhatTheHashSays) {
  using T = TypeParam;
  constexpr int64_t rows = 7, width = 1021;
  const std::vector<T> ones(rows * width, static_cast<T>(1.0f));
  const auto keys = row_keys(rows);
  ThreadPool pool(2);
  on_each_level([&] {
    for (const float probability : {0.1f, 0.5f, 0.999f}) {
      std::vector<T> y(rows * width);
      ActivationArgs<T> args{.rows = rows, .width = width};
      args.dropout = {probability, 123};
      args.row_keys = keys.data();
      args.x = ones.data();
      args.y = y.data();
      activate(pool, args);
      for (int64_t r = 0; r < rows; ++r) {
        const DropoutRow row(123, keys[r]);
        for (int64_t c = 0; c < width; ++c) {
          const bool stays = row.bits(static_cast<uint32_t>(c)) >= args.dropout.threshold();
          ASSERT_EQ(static_cast<float>(y[r * width + c]),
                    stays ? static_cast<float>(static_cast<T>(args.dropout.scale())) : 0.0f)
              << "row " << r << " column " << c;
        }
      }
    }
  });
}

TYPED_TEST(Layer, AddToAddsAtAnyAddress) {
  using T = TypeParam;
  ThreadPool pool(2);
  on_each_level([&] {
    for (const int64_t size : {0, 1, 7, 63, 1000, 40000}) {
      for (const int64_t shift : {0, 1, 3}) {
        const auto x = normal_values<T>(size + shift, 1);
        auto y = normal_values<T>(size + shift, 2), expected = y;
        reference::add_to(size, x.data() + shift, expected.data() + shift);
        add_to(pool, size, x.data() + shift, y.data() + shift);
        ASSERT_TRUE(same_bytes(y, expected)) << size;

        auto sum = normal_values<float>(size + shift, 2), expected_sum = sum;
        reference::add_to(size, x.data() + shift, expected_sum.data() + shift);
        add_to(pool, size, x.data() + shift, sum.data() + shift);
        ASSERT_TRUE(same_bytes(sum, expected_sum)) << size;
      }
    }
  });
}

template <class To, class From>
void converts(ThreadPool& pool, int64_t rows, int64_t width, int64_t stride) {
  auto x = normal_values<From>(rows * stride + 1, 1);
  if (rows > 0) x[0] = From(kNaN);
  if (rows > 0 && width > 4)
    x[1] = From(-0.0f), x[2] = From(-INFINITY), x[3] = From(1.00390625f), x[4] = From(3e38f);
  std::vector<To> y(rows * width), expected(rows * width);
  for (int64_t i = 0; i < rows * width; ++i)
    expected[i] = To(static_cast<float>(x[i / width * stride + i % width]));
  convert(pool, rows, width, x.data(), stride, y.data());
  ASSERT_TRUE(same_bytes(y, expected)) << rows << " x " << width << " every " << stride;
}

TEST(Convert, RoundsAsBf16DoesAndReadsRowsApart) {
  ThreadPool pool(2);
  on_each_level([&] {
    for (const int64_t rows : {0, 1, 7, 700}) {
      for (const int64_t width : {1, 5, 16, 50, 64, 130}) {
        for (const int64_t apart : {0, 3}) {
          converts<float, float>(pool, rows, width, width + apart);
          converts<Bf16, float>(pool, rows, width, width + apart);
          converts<float, Bf16>(pool, rows, width, width + apart);
        }
      }
    }
  });
}

}  // namespace
}  // namespace heed::kernels
