// What weights start from: the distribution that a layer asks for, as a function of seed, name and index
// alone.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <span>

#include "heed/nn/linear.h"
#include "tests/support/bytes.h"
#include "tests/support/models.h"

namespace heed::test {
namespace {

constexpr int32_t kWords = 60;

std::vector<float> values_of(const ParameterStore& store, const std::string& name) {
  const Parameter* parameter = store.find(name);
  EXPECT_NE(parameter, nullptr) << "there is no " << name;
  if (parameter == nullptr) return {};
  const float* values = parameter->value().data<float>();
  return {values, values + parameter->value().size()};
}

double mean(std::span<const float> x, double (*f)(double)) {
  double sum = 0;
  for (const float value : x) sum += f(value);
  return sum / static_cast<double>(x.size());
}
double itself(double x) {
  return x;
}
double square(double x) {
  return x * x;
}

// Means of n draws lie within five of their standard deviations, outside of which one in two million does.
constexpr double kDeviations = 5.0;

// Uniform in [-size, size]: x has the variance size^2 / 3, |x| the mean size / 2 and the variance size^2 /
// 12; 400 draws all stay out of the outer twentieth of one side with the probability 0.975^400 = 4e-5.
void expect_uniform(const std::vector<float>& x, double size) {
  ASSERT_GE(x.size(), 400u);
  const double root = std::sqrt(static_cast<double>(x.size()));
  const double least = *std::min_element(x.begin(), x.end()), most = *std::max_element(x.begin(), x.end());
  const double rounded = size * (1 + 0x1p-24);  // to f32
  EXPECT_TRUE(most <= rounded && most > 0.95 * size) << most << " of " << size;
  EXPECT_TRUE(least >= -rounded && least < -0.95 * size) << least << " of " << -size;
  EXPECT_NEAR(mean(x, itself), 0.0, kDeviations * size / std::sqrt(3.0) / root);
  EXPECT_NEAR(mean(x, std::abs), size / 2, kDeviations * size / std::sqrt(12.0) / root);
}

// The variance of x^2 is 2 size^4. Within one standard deviation lie 68.27 % (of a uniform distribution that
// is as wide, 57.7 %).
void expect_normal(const std::vector<float>& x, double size) {
  ASSERT_GE(x.size(), 1000u);
  const auto n = static_cast<double>(x.size());
  EXPECT_NEAR(mean(x, itself), 0.0, kDeviations * size / std::sqrt(n));
  EXPECT_NEAR(mean(x, square), size * size, kDeviations * size * size * std::sqrt(2 / n));
  const auto within = std::count_if(x.begin(), x.end(), [&](float v) { return std::abs(v) < size; });
  EXPECT_NEAR(static_cast<double>(within) / n, 0.6827, kDeviations * std::sqrt(0.6827 * 0.3173 / n));
}

void expect_constant(const std::vector<float>& x, double size) {
  ASSERT_FALSE(x.empty());
  EXPECT_EQ(std::count(x.begin(), x.end(), static_cast<float>(size)), static_cast<int64_t>(x.size()));
}

void expect_initial(const std::vector<float>& x, const Initial& initial) {
  switch (initial.kind) {
    case Initial::Kind::constant:
      return expect_constant(x, initial.size);
    case Initial::Kind::uniform:
      return expect_uniform(x, initial.size);
    case Initial::Kind::normal:
      return expect_normal(x, initial.size);
  }
}

double xavier(double in, double out) {
  return std::sqrt(6.0 / (in + out));
}

TEST(InitialValues, AreDrawnAsAsked) {
  ParameterStore store(1);
  for (const Initial& initial :
       {Initial::constant(-0.75), Initial::constant(0.0), Initial::uniform(0.3), Initial::uniform(2.0),
        Initial::normal(0.2), Initial::normal(3.0), Initial::xavier(300, 100), Initial::xavier(4, 2)}) {
    const std::string name =
        std::to_string(static_cast<int>(initial.kind)) + " " + std::to_string(initial.size);
    SCOPED_TRACE(name);
    store.add(name, {64, 64}, initial);
    expect_initial(values_of(store, name), initial);
  }
  EXPECT_EQ(Initial::xavier(300, 100).kind, Initial::Kind::uniform);
  EXPECT_DOUBLE_EQ(Initial::xavier(300, 100).size, xavier(300, 100));
}

// Whatever else is in the store, and whenever it came.
TEST(InitialValues, AreAFunctionOfSeedNameAndIndex) {
  for (const Initial& initial : {Initial::uniform(1.0), Initial::normal(1.0)}) {
    const auto drawn = [&](uint64_t seed, const std::string& name, int64_t size) {
      ParameterStore store(seed);
      store.add(name, {size}, initial);
      return values_of(store, name);
    };
    const std::vector<float> weights = drawn(1, "a", 40);
    ParameterStore others(1);
    others.add("b", {7, 3}, Initial::normal(1.0));
    others.add_buffer("c", {5}, 1.0f);
    others.add("a", {8, 5}, initial);
    EXPECT_TRUE(same_bytes(values_of(others, "a"), weights));
    EXPECT_TRUE(starts_with_bytes(drawn(1, "a", 50), weights));
    for (const std::vector<float>& other : {drawn(2, "a", 40), drawn(1, "b", 40)})
      for (size_t i = 0; i < weights.size(); ++i) EXPECT_NE(other[i], weights[i]);
  }
}

TEST(InitialValues, OfAModelDoNotDependOnItsOtherLayers) {
  for (const SampleModel& sample : sample_models()) {
    SCOPED_TRACE(sample.name);
    const auto one = sample.make(kWords, "encoder_layers: 1\ndecoder_layers: 1\n"),
               two = sample.make(kWords, "encoder_layers: 2\ndecoder_layers: 2\n");
    EXPECT_GT(two->parameters().count(), one->parameters().count());
    for (const auto& parameter : one->parameters().all())
      EXPECT_TRUE(same_bytes(values_of(two->parameters(), parameter->name()),
                             values_of(one->parameters(), parameter->name())))
          << parameter->name();
  }
}

// Maps that stand on top of each other in one weight start as if each stood alone; biases at zero.
TEST(InitialValues, OfLinearMaps) {
  ParameterStore store(1);
  const Linear one(store, "one", 64, 192), three(store, "three", 64, 192, LinearOptions{.joined = 3}),
      own(store, "own", 64, 192, LinearOptions{.initial = Initial::normal(0.5)}),
      unbiased(store, "unbiased", 64, 192, LinearOptions{.bias = false});
  expect_uniform(values_of(store, "one.weight"), xavier(64, 192));
  expect_uniform(values_of(store, "three.weight"), xavier(64, 64));
  expect_normal(values_of(store, "own.weight"), 0.5);
  expect_uniform(values_of(store, "unbiased.weight"), xavier(64, 192));
  for (const char* bias : {"one.bias", "three.bias", "own.bias"})
    expect_constant(values_of(store, bias), 0.0);
  EXPECT_EQ(store.find("unbiased.bias"), nullptr);
}

struct InitialOf {
  const char* parameter;
  Initial initial;
};

void expect_initial_values(const SampleModel& sample, const std::vector<InitialOf>& expected) {
  SCOPED_TRACE(sample.name);
  const auto model = sample.make(kWords);
  for (const auto& [parameter, initial] : expected) {
    SCOPED_TRACE(parameter);
    expect_initial(values_of(model->parameters(), parameter), initial);
  }
}

TEST(InitialValues, OfTheTransformer) {
  expect_initial_values({"transformer",
                         "width: 48\nheads: 3\nfeed_forward: 80\nconvolution: 5\npositions: learned\n"
                         "max_positions: 30\noutput_bias: true\ntying: none\n"},
                        {{"target.embedding", Initial::normal(1 / std::sqrt(48.0))},
                         {"source.embedding", Initial::normal(1 / std::sqrt(48.0))},
                         {"output.weight", Initial::normal(1 / std::sqrt(48.0))},
                         {"output.bias", Initial::constant(0.0)},
                         {"source.positions", Initial::normal(1 / std::sqrt(48.0))},
                         {"encoder.0.self.queries_keys_values.weight", Initial::uniform(xavier(48, 144))},
                         {"encoder.0.self.queries_keys_values.bias", Initial::constant(0.0)},
                         {"encoder.0.self.convolution", Initial::uniform(1 / std::sqrt(5.0))},
                         {"encoder.0.self.output.weight", Initial::uniform(xavier(48, 48))},
                         {"encoder.0.self.norm.gain", Initial::constant(1.0)},
                         {"encoder.0.self.norm.bias", Initial::constant(0.0)},
                         {"decoder.0.cross.queries.weight", Initial::uniform(xavier(48, 48))},
                         {"decoder.0.cross.keys_values.weight", Initial::uniform(xavier(48, 96))},
                         {"encoder.0.feed_forward.inner.weight", Initial::uniform(1 / std::sqrt(48.0))},
                         {"encoder.0.feed_forward.outer.weight", Initial::uniform(1 / std::sqrt(80.0))}});
}

// The gates of a cell are joined maps.
TEST(InitialValues, OfRecurrentModels) {
  const std::string rnn = "type: rnn\nembedding: 40\nwidth: 48\n";
  expect_initial_values({"conditional", rnn},
                        {{"target.embedding", Initial::normal(1 / std::sqrt(40.0))},
                         {"source.embedding", Initial::normal(1 / std::sqrt(40.0))},
                         {"encoder.0.forward.input.weight", Initial::uniform(xavier(40, 48))},
                         {"encoder.0.backward.recurrent.weight", Initial::uniform(xavier(48, 48))},
                         {"encoder.0.forward.input.bias", Initial::constant(0.0)},
                         {"encoder.0.forward.recurrent.bias", Initial::constant(0.0)},
                         {"decoder.0.start.weight", Initial::uniform(xavier(96, 48))},
                         {"decoder.context.input.weight", Initial::uniform(xavier(96, 48))},
                         {"attention.queries.weight", Initial::uniform(xavier(48, 48))},
                         {"attention.keys.weight", Initial::uniform(xavier(96, 48))},
                         {"head.weight", Initial::uniform(xavier(48 + 96 + 40, 40))}});
  expect_initial_values({"bahdanau", rnn + "attend: before\ncell: lstm\n"},
                        {{"decoder.0.input.weight", Initial::uniform(xavier(40, 48))},
                         {"decoder.context.weight", Initial::uniform(xavier(96, 48))}});
  expect_initial_values({"luong", rnn + "attend: after\ninput_feeding: true\nattention: bilinear\n"},
                        {{"attention.queries.weight", Initial::uniform(xavier(48, 96))},
                         {"decoder.feed.weight", Initial::uniform(xavier(40, 48))}});
  expect_initial_values({"monotonic", rnn + "attend: after\nmonotonic: true\nlayer_norm: true\n"},
                        {{"attention.offset", Initial::constant(-1.0)},
                         {"encoder.0.norm.gain", Initial::constant(1.0)},
                         {"decoder.0.norm.bias", Initial::constant(0.0)}});
}

}  // namespace
}  // namespace heed::test
