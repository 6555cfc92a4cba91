#include "heed/kernels/output.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "heed/base/error.h"
#include "heed/base/random.h"
#include "heed/kernels/reference/output.h"
#include "tests/kernels/levels.h"

namespace heed::kernels {
namespace {

constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr float kInfinity = std::numeric_limits<float>::infinity();

// An output layer of T with its values in f64 beside it, as T sees them.
template <class T>
struct Layer {
  Layer(ThreadPool& pool, int64_t rows, int64_t width, int64_t words)
      : R(rows), D(width), V(words), x(R * D), weight(V * D), bias(V), targets(R) {
    for (int64_t i = 0; i < R * D; ++i) x[i] = T(static_cast<float>(2 * uniform(1, i) - 1));
    for (int64_t i = 0; i < V * D; ++i) weight[i] = static_cast<float>(uniform(2, i) - 0.5);
    for (int64_t i = 0; i < V; ++i) bias[i] = static_cast<float>(2 * uniform(3, i) - 1);
    for (int64_t r = 0; r < R; ++r) targets[r] = static_cast<int32_t>(uniform_below(4, r, V));
    packed = PackedMatrix(pool, weight.data(), D, V, 1, D, dtype_of<T>);
    packed_back = PackedMatrix(pool, weight.data(), V, D, D, 1, dtype_of<T>);
    for (const T value : x) x_exact.push_back(double(float(value)));
    for (const float value : weight) weight_exact.push_back(double(float(T(value))));
    bias_exact.assign(bias.begin(), bias.end());
  }
  reference::OutputArgs<double> exact() const {
    return {R, D, V, x_exact.data(), weight_exact.data(), 1, D, bias_exact.data()};
  }
  OutputLossArgs<T> loss_args() const {
    return {.rows = R,
            .width = D,
            .words = V,
            .x = x.data(),
            .weight = &packed,
            .weight_back = &packed_back,
            .bias = bias.data(),
            .targets = targets.data(),
            .smoothing = 0.1f};
  }
  OutputTopKArgs<T> top_k_args() const {
    return {.rows = R, .width = D, .words = V, .x = x.data(), .weight = &packed, .bias = bias.data()};
  }

  int64_t R, D, V;
  std::vector<T> x;
  std::vector<float> weight, bias;
  std::vector<int32_t> targets;
  PackedMatrix packed, packed_back;
  std::vector<double> x_exact, weight_exact, bias_exact;
};

template <class T>
struct LossResult {
  explicit LossResult(const Layer<T>& layer)
      : loss(layer.R, kNaN),
        log_prob(layer.R, kNaN),
        dweight(layer.V * layer.D, kNaN),
        dbias(layer.V, kNaN),
        dx(layer.R * layer.D, T(kNaN)) {}
  std::vector<float> loss, log_prob, dweight, dbias;
  std::vector<T> dx;
};

template <class T>
LossResult<T> loss_and_gradient(ThreadPool& pool, const Layer<T>& layer) {
  LossResult<T> result(layer);
  OutputLossArgs<T> args = layer.loss_args();
  args.loss = result.loss.data();
  args.log_prob = result.log_prob.data();
  args.dx = result.dx.data();
  args.dweight = result.dweight.data();
  args.dbias = result.dbias.data();
  output_loss(pool, args);
  return result;
}

// A logit is a sum of D products under 1/2 (relative 2^-23 each), a log-probability adds a logarithm of a
// sum. Probabilities kept in bf16 have 8 bits; a sum over rows or words of them stays near the norm of its
// terms.
double log_prob_tolerance(int64_t D) {
  return 1e-6 * static_cast<double>(D + 16);
}
template <class T>
double gradient_tolerance(int64_t terms) {
  const double each = std::is_same_v<T, Bf16> ? 0x1p-8 : 0x1p-20;
  return each * (2 + std::sqrt(static_cast<double>(terms)) / 4);
}

template <class T>
void compare_loss(ThreadPool& pool, const Layer<T>& layer) {
  const int64_t R = layer.R, D = layer.D, V = layer.V;
  SCOPED_TRACE(testing::Message() << R << " x " << D << " x " << V);
  std::vector<double> loss(R), log_prob(R), dx(R * D), dweight(V * D), dbias(V);
  reference::output_loss<double>({layer.exact(), layer.targets.data(), 0.1f, loss.data(), log_prob.data(),
                                  dx.data(), dweight.data(), dbias.data()});
  const LossResult<T> result = loss_and_gradient(pool, layer);
  const double near = log_prob_tolerance(D);
  for (int64_t r = 0; r < R; ++r) {
    ASSERT_NEAR(result.loss[r], loss[r], near) << r;
    ASSERT_NEAR(result.log_prob[r], log_prob[r], near) << r;
  }
  for (int64_t i = 0; i < R * D; ++i) ASSERT_NEAR(float(result.dx[i]), dx[i], gradient_tolerance<T>(1)) << i;
  for (int64_t i = 0; i < V * D; ++i)
    ASSERT_NEAR(result.dweight[i], dweight[i], gradient_tolerance<T>(R)) << i;
  for (int64_t i = 0; i < V; ++i) ASSERT_NEAR(result.dbias[i], dbias[i], gradient_tolerance<T>(R)) << i;
}

TEST(OutputLoss, EqualsReference) {
  on_every_level([] {
    ThreadPool pool(3);
    for (const auto [R, D, V] :
         {std::array<int64_t, 3>{1, 1, 1}, {3, 5, 7}, {600, 17, 100}, {65, 32, 1500}, {130, 128, 33}}) {
      compare_loss(pool, Layer<float>(pool, R, D, V));
      compare_loss(pool, Layer<Bf16>(pool, R, D, V));
    }
  });
}

// Exponentials are taken from the largest of a row's first logits, unless all of those lie too low.
template <class T>
void compare_low_beginnings(ThreadPool& pool) {
  for (const float low : {-40.0f, -85.0f, -300.0f}) {
    SCOPED_TRACE(low);
    Layer<T> layer(pool, 40, 20, 700);
    for (int64_t word = 0; word < 70; ++word) layer.bias_exact[word] = layer.bias[word] = low;
    for (int64_t r = 0; r < layer.R; ++r) layer.targets[r] = static_cast<int32_t>(70 + 7 * r);
    compare_loss(pool, layer);
  }
}

TEST(OutputLoss, FirstWordsMayBeFarLessLikelyThanOthers) {
  on_every_level([] {
    ThreadPool pool(2);
    compare_low_beginnings<float>(pool);
    compare_low_beginnings<Bf16>(pool);
  });
}

template <class T>
void loss_same_bytes() {
  ThreadPool one(1);
  const int64_t R = 521;  // more than a block of rows
  const Layer<T> layer(one, R, 20, 600);
  const LossResult<T> whole = loss_and_gradient(one, layer);
  for (const int threads : {2, 3, 7}) {
    ThreadPool pool(threads);
    const LossResult<T> result = loss_and_gradient(pool, layer);
    ASSERT_EQ(result.loss, whole.loss);
    ASSERT_EQ(result.log_prob, whole.log_prob);
    ASSERT_EQ(result.dweight, whole.dweight);
    ASSERT_EQ(result.dbias, whole.dbias);
    ASSERT_EQ(0, std::memcmp(result.dx.data(), whole.dx.data(), whole.dx.size() * sizeof(T)));
  }
  std::vector<float> loss(R), log_prob(R);
  for (int64_t rows = 1; rows <= R; rows += rows < 129 || rows > 250 ? 1 : 11) {  // without a gradient
    OutputLossArgs<T> args = layer.loss_args();
    args.rows = rows;
    args.x += (R - rows) * layer.D;
    args.targets += R - rows;
    args.loss = loss.data();
    args.log_prob = log_prob.data();
    output_loss(one, args);
    for (int64_t r = 0; r < rows; ++r) {
      ASSERT_EQ(loss[r], whole.loss[R - rows + r]) << rows << " rows";
      ASSERT_EQ(log_prob[r], whole.log_prob[R - rows + r]) << rows << " rows";
    }
  }
}

TEST(OutputLoss, SameBytesForAnyRowsAndThreads) {
  on_every_level([] {
    loss_same_bytes<float>();
    loss_same_bytes<Bf16>();
  });
}

TEST(OutputLoss, LogitsFarApartStayFinite) {
  on_every_level([] {
    ThreadPool pool(1);
    const float x[2] = {100, -100}, weight[3] = {3, 0, -3};  // D = 1, V = 3
    const PackedMatrix packed(pool, weight, 1, 3, 1, 1, DType::f32),
        back(pool, weight, 3, 1, 1, 1, DType::f32);
    const int32_t targets[2] = {0, 0};
    float loss[2], dx[2], dweight[3];
    OutputLossArgs<float> args{.rows = 2,
                               .width = 1,
                               .words = 3,
                               .x = x,
                               .weight = &packed,
                               .weight_back = &back,
                               .targets = targets,
                               .loss = loss,
                               .dx = dx,
                               .dweight = dweight};
    output_loss(pool, args);
    EXPECT_EQ(loss[0], 0);
    EXPECT_EQ(loss[1], 600);
    EXPECT_EQ(dx[0], 0);
    EXPECT_EQ(dx[1], -6);
    EXPECT_EQ(dweight[0], 100);
    EXPECT_EQ(dweight[1], 0);
    EXPECT_EQ(dweight[2], -100);
  });
}

template <class T>
void nan_reaches_the_loss() {
  ThreadPool pool(2);
  Layer<T> layer(pool, 70, 16, 200);
  layer.x[5 * layer.D + 3] = T(kNaN);
  const LossResult<T> result = loss_and_gradient(pool, layer);
  for (int64_t r = 0; r < layer.R; ++r) EXPECT_EQ(std::isnan(result.loss[r]), r == 5) << r;
  EXPECT_TRUE(std::isnan(result.dweight[0]));
}

TEST(OutputLoss, NaNReachesTheLoss) {
  on_every_level([] {
    nan_reaches_the_loss<float>();
    nan_reaches_the_loss<Bf16>();
  });
}

template <class T>
void compare_top_k(ThreadPool& pool, int64_t R, int64_t D, int64_t V, int64_t k, bool with_bias) {
  SCOPED_TRACE(testing::Message() << R << " x " << D << " x " << V << " k " << k);
  const Layer<T> layer(pool, R, D, V);
  std::vector<float> row_bias(R * V);
  for (int64_t i = 0; i < R * V; ++i) row_bias[i] = uniform(9, i) < 0.3 ? -kInfinity : float(uniform(8, i));
  const std::vector<double> row_bias_exact(row_bias.begin(), row_bias.end());
  std::vector<double> all(R * V);
  reference::output_log_probs(layer.exact(), all.data());
  if (with_bias) {
    for (int64_t i = 0; i < R * V; ++i) all[i] += row_bias_exact[i];
  }
  std::vector<int32_t> ids_exact(R * k), ids(R * k, -1);
  std::vector<double> best_exact(R * k);
  reference::output_top_k(layer.exact(), with_bias ? row_bias_exact.data() : nullptr, k, ids_exact.data(),
                          best_exact.data());
  std::vector<float> best(R * k, kNaN);
  OutputTopKArgs<T> args = layer.top_k_args();
  args.row_bias = with_bias ? row_bias.data() : nullptr;
  args.k = k;
  args.ids = ids.data();
  args.log_probs = best.data();
  output_top_k(pool, args);
  for (int64_t i = 0; i < R * k; ++i) {  // words closer than the tolerance may change places
    ASSERT_TRUE(ids[i] >= 0 && ids[i] < V) << i;
    if (std::isinf(best_exact[i])) {
      ASSERT_EQ(best[i], -kInfinity);
      ASSERT_EQ(ids[i], ids_exact[i]);
      continue;
    }
    ASSERT_NEAR(best[i], best_exact[i], log_prob_tolerance(D)) << i;
    ASSERT_NEAR(best[i], all[i / k * V + ids[i]], log_prob_tolerance(D)) << i;
  }
}

TEST(OutputTopK, EqualsReference) {
  on_every_level([] {
    ThreadPool pool(3);
    for (const auto [R, D, V, k] : {std::array<int64_t, 4>{1, 1, 1, 1},
                                    {4, 5, 7, 7},
                                    {33, 16, 1000, 8},
                                    {70, 48, 300, 5},
                                    {2, 8, 5000, 1}}) {
      for (const bool with_bias : {false, true}) {
        compare_top_k<float>(pool, R, D, V, k, with_bias);
        compare_top_k<Bf16>(pool, R, D, V, k, with_bias);
      }
    }
  });
}

TEST(OutputTopK, TiesGoToTheSmallerId) {
  on_every_level([] {
    ThreadPool pool(2);
    const int64_t V = 900;
    const std::vector<float> weight(V, 1.0f);
    const PackedMatrix packed(pool, weight.data(), 1, V, 1, 1, DType::f32);
    const float x = 2;
    std::vector<float> row_bias(V, 0.0f), best(V);
    row_bias[700] = 1;
    row_bias[0] = -kInfinity;
    std::vector<int32_t> ids(V);
    OutputTopKArgs<float> args{.rows = 1,
                               .width = 1,
                               .words = V,
                               .x = &x,
                               .weight = &packed,
                               .row_bias = row_bias.data(),
                               .k = V,
                               .ids = ids.data(),
                               .log_probs = best.data()};
    output_top_k(pool, args);
    EXPECT_EQ(ids[0], 700);
    for (int32_t i = 1; i <= 699; ++i) ASSERT_EQ(ids[i], i);
    for (int32_t i = 700; i < V - 1; ++i) ASSERT_EQ(ids[i], i + 1);
    EXPECT_EQ(ids[V - 1], 0);
    EXPECT_EQ(best[V - 1], -kInfinity);
  });
}

TEST(OutputTopK, SameBytesForAnyRowsAndThreads) {
  on_every_level([] {
    ThreadPool one(1);
    const Layer<float> layer(one, 129, 8, 600);
    const int64_t k = 6;
    const auto top = [&](ThreadPool& pool, int64_t first, int64_t rows) {
      std::pair<std::vector<int32_t>, std::vector<float>> result{std::vector<int32_t>(rows * k),
                                                                 std::vector<float>(rows * k)};
      OutputTopKArgs<float> args = layer.top_k_args();
      args.rows = rows;
      args.x += first * layer.D;
      args.k = k;
      args.ids = result.first.data();
      args.log_probs = result.second.data();
      output_top_k(pool, args);
      return result;
    };
    const auto whole = top(one, 0, 129);
    for (const int threads : {2, 3, 7}) {
      ThreadPool pool(threads);
      EXPECT_EQ(top(pool, 0, 129), whole);
    }
    for (int64_t rows = 1; rows <= 129; ++rows) {
      const auto some = top(one, 129 - rows, rows);
      ASSERT_TRUE(std::equal(some.first.begin(), some.first.end(), whole.first.end() - rows * k)) << rows;
      ASSERT_TRUE(std::equal(some.second.begin(), some.second.end(), whole.second.end() - rows * k)) << rows;
    }
  });
}

template <class T>
void compare_log_probs(ThreadPool& pool, int64_t R, int64_t D, int64_t V) {
  const Layer<T> layer(pool, R, D, V);
  std::vector<double> exact(R * V);
  reference::output_log_probs(layer.exact(), exact.data());
  std::vector<float> log_probs(R * V, kNaN);
  output_log_probs(pool, OutputLogProbsArgs<T>{R, D, V, layer.x.data(), &layer.packed, layer.bias.data(),
                                               log_probs.data()});
  for (int64_t i = 0; i < R * V; ++i) ASSERT_NEAR(log_probs[i], exact[i], log_prob_tolerance(D)) << i;
}

TEST(OutputLogProbs, EqualsReference) {
  on_every_level([] {
    ThreadPool pool(2);
    compare_log_probs<float>(pool, 70, 24, 600);
    compare_log_probs<Bf16>(pool, 70, 24, 600);
  });
}

TEST(Output, RefusesWhatDoesNotFit) {
  ThreadPool pool(1);
  const Layer<float> layer(pool, 2, 3, 4);
  OutputTopKArgs<float> args = layer.top_k_args();
  args.k = 5;
  EXPECT_THROW(output_top_k(pool, args), Error);
  OutputLossArgs<float> loss = layer.loss_args();
  loss.words = 5;
  EXPECT_THROW(output_loss(pool, loss), Error);
}

}  // namespace
}  // namespace heed::kernels
