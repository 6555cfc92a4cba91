// Golden runs: a model of heed against what tests/fixtures/models/golden.py wrote with PyTorch.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include "heed/checkpoint/safetensors.h"
#include "heed/models/classifier.h"
#include "heed/models/encoder_decoder.h"
#include "heed/train/optimiser.h"
#include "tests/support/tolerance.h"

namespace heed::test {

class GoldenFile {
 public:
  // name: "transformer_pre_norm"
  explicit GoldenFile(const std::string& name)
      : file_(SafetensorsFile::open(std::string(HEED_SOURCE_DIR "/tests/fixtures/models/") + name +
                                    ".safetensors")) {}

  const std::string& metadata(const std::string& key) const { return file_.metadata().at(key); }
  bool has_metadata(const std::string& key) const { return file_.metadata().contains(key); }
  double number(const std::string& key) const { return std::stod(metadata(key)); }
  int64_t rows(const std::string& tensor) const { return file_.at(tensor).shape.front(); }

  template <class T = float>
  std::vector<T> values(const std::string& tensor) const {
    const TensorView& view = file_.at(tensor);
    EXPECT_EQ(view.dtype, (std::is_same_v<T, float> ? "F32" : "I32")) << tensor;
    std::vector<T> values(view.bytes.size() / sizeof(T));
    std::memcpy(values.data(), view.bytes.data(), view.bytes.size());
    return values;
  }

  TokenField tokens(const std::string& side) const {
    return {values<int32_t>(side + ".ids"), Layout::of_lengths(values<int32_t>(side + ".lengths"))};
  }

  LossOptions loss_options() const {
    LossOptions options;
    options.smoothing = number("smoothing");
    if (has_metadata("guided.weight")) {
      options.guided_attention.weight = number("guided.weight");
      options.guided_attention.width = number("guided.width");
    }
    return options;
  }

  // Every weight of the model, none more.
  void load_weights(ParameterStore& parameters) const {
    size_t weights = 0;
    for (const auto& [name, view] : file_.tensors()) weights += name.starts_with("weight/") ? 1 : 0;
    ASSERT_EQ(weights, parameters.all().size());
    for (const auto& parameter : parameters.all()) {
      const std::vector<float> values = this->values("weight/" + parameter->name());
      ASSERT_EQ(static_cast<int64_t>(values.size()), parameter->value().size()) << parameter->name();
      std::copy(values.begin(), values.end(), parameter->value().data<float>());
      parameter->forget_packed();
    }
  }

 private:
  SafetensorsFile file_;
};

inline std::span<const float> span_of(const Tensor& tensor) {
  return {tensor.data<float>(), static_cast<size_t>(tensor.size())};
}

// A bias whose gradient is exactly zero, so that Adam's steps follow rounding alone: the part
// [part * size / parts, (part + 1) * size / parts) of parameters whose names end so.
struct WithoutGradient {
  std::string name_ends;
  size_t part, parts;
};

inline void leave_out(const std::string& name, std::vector<float>& values,
                      const std::vector<WithoutGradient>& biases) {
  for (const WithoutGradient& bias : biases) {
    if (!name.ends_with(bias.name_ends)) continue;
    const size_t size = values.size() / bias.parts;
    std::fill_n(values.begin() + static_cast<std::ptrdiff_t>(bias.part * size), size, 0.0f);
  }
}

// The model's loss on the golden batch.
using GoldenLoss = std::function<OutputLoss(Context& c)>;

inline GoldenLoss golden_loss(const EncoderDecoder& model, const GoldenFile& golden) {
  return [&](Context& c) {
    return model.loss(c, golden.tokens("source"), golden.tokens("target"), golden.loss_options());
  };
}
// Of a classifier the target is the class.
inline GoldenLoss golden_loss(const Classifier& model, const GoldenFile& golden) {
  return [&](Context& c) {
    return model.loss(c, golden.tokens("source"), golden.values<int32_t>("target.ids"),
                      golden.loss_options());
  };
}

inline void expect_golden_forward(Context& c, const Tensor& log_probs, const GoldenFile& golden) {
  expect_near_norm("log-probabilities", span_of(log_probs), golden.values("log_probs"),
                   tolerance(Quantity::log_probs, c.precision));
}

inline void expect_golden_forward(Context& c, const EncoderDecoder& model, const GoldenFile& golden) {
  expect_golden_forward(c, model.log_probs(c, golden.tokens("source"), golden.tokens("target")), golden);
}

template <class AnyModel>
void expect_golden_gradients(Context& c, AnyModel& model, const GoldenFile& golden) {
  Tape tape;
  const Mode recording(c, &tape, c.training);
  const OutputLoss loss = golden_loss(model, golden)(c);
  const Tolerance of_loss = tolerance(Quantity::loss, c.precision);
  expect_near_norm("loss", std::vector{loss.sum.value.item()}, golden.values("loss.sum"), of_loss);
  expect_near_norm("loss of rows", span_of(loss.row_loss), golden.values("loss.rows"),
                   tolerance(Quantity::log_probs, c.precision));
  tape.backward(c, loss.sum);

  double squares = 0;
  for (const auto& parameter : model.parameters().all()) {
    squares += std::pow(norm_of(golden.values("gradient/" + parameter->name())), 2);
  }
  for (const auto& parameter : model.parameters().all()) {
    const Tensor gradient = parameter->gradient().take(c);
    ASSERT_TRUE(gradient) << parameter->name();
    expect_near_norm("gradient of " + parameter->name(), span_of(gradient),
                     golden.values("gradient/" + parameter->name()),
                     tolerance(Quantity::model_gradient, c.precision), std::sqrt(squares));
  }
}

// kind: "adam" or "adam_clipped".
template <class AnyModel>
void expect_golden_training(Context& c, AnyModel& model, const GoldenFile& golden, const std::string& kind,
                            const std::vector<WithoutGradient>& without_gradient) {
  OptimiserConfig config;
  config.clip_norm = kind == "adam_clipped" ? golden.number("clip") : 0.0;
  Adam adam(config, model.parameters());
  const GoldenLoss loss_of = golden_loss(model, golden);
  const double scale = 1.0 / static_cast<double>(golden.rows("target.ids"));
  std::vector<float> losses;
  for (int64_t update = 1; update <= golden.rows(kind + ".losses"); ++update) {
    c.arena.reset();
    Tape tape;
    const Mode recording(c, &tape, c.training);
    const OutputLoss loss = loss_of(c);
    losses.push_back(static_cast<float>(loss.sum.value.item() * scale));
    tape.backward(c, loss.sum);
    adam.step(c, take_gradients(c, model.parameters()), scale, golden.number("rate"), update);
  }
  expect_near_norm("losses", losses, golden.values(kind + ".losses"), tolerance(Quantity::loss, c.precision));
  for (const auto& parameter : model.parameters().all()) {
    std::vector<float> expected = golden.values(kind + "/" + parameter->name());
    std::vector<float> got(span_of(parameter->value()).begin(), span_of(parameter->value()).end());
    leave_out(parameter->name(), expected, without_gradient);
    leave_out(parameter->name(), got, without_gradient);
    expect_near_norm("trained " + parameter->name(), got, expected,
                     tolerance(Quantity::trained_weights, c.precision));
  }
}

}  // namespace heed::test
