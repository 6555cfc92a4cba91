// A training whose every number is known: one weight on its way down a parabola.
#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <vector>

#include "heed/train/trainer.h"

namespace heed::test {

// (w - target)^2 over the tokens of the batch; w starts at 0.
class Parabola final : public Objective, public Validator {
 public:
  explicit Parabola(double target) : target_(target) {
    weight_ = &store.add("w", {1}, Initial::constant(0.0));
  }
  BatchLoss loss(Context& c, const Batch& batch, int64_t update) const override {
    const Layout& layout = batch.field("source").layout;
    const auto count = static_cast<double>(layout.rows());
    const double distance = *weight_->value().data<float>() - target_;
    calls.push_back({update,
                     c.random_key,
                     {layout.numbers().begin(), layout.numbers().end()},
                     *weight_->value().data<float>()});
    Var weight = weight_->var(c);
    Var sum(Tensor::empty({1}, DType::f32));
    *sum.value.data<float>() = update >= poisoned_from ? std::numeric_limits<float>::quiet_NaN()
                                                       : static_cast<float>(distance * distance * count);
    if (c.recording()) {
      c.tape->record(sum, [gradient = weight.gradient, distance, count](Context& context, const Tensor&) {
        Tensor d = context.allocate({1}, DType::f32);
        *d.data<float>() = static_cast<float>(2 * distance * count);
        gradient->add(context, d);
      });
    }
    return {sum, count};
  }
  Validation validate(Context&) const override {
    const double distance = *weight_->value().data<float>() - target_;
    Validation validation;
    validation.loss = bad_validation ? std::numeric_limits<double>::quiet_NaN() : distance * distance;
    return validation;
  }
  std::string fingerprint() const override { return "parabola"; }

  // What loss() was called with, and the weight that it found.
  struct Call {
    int64_t update;
    uint64_t key;
    std::vector<uint64_t> sentences;
    float weight;
    bool operator==(const Call&) const = default;
  };

  ParameterStore store{1};
  mutable std::vector<Call> calls;
  int64_t poisoned_from = std::numeric_limits<int64_t>::max();
  bool bad_validation = false;

 private:
  double target_;
  const Parameter* weight_;
};

inline Corpus corpus_of(size_t sentences) {
  Corpus corpus;
  corpus.columns = {{"source"}, {"target"}};
  for (size_t i = 0; i < sentences; ++i) {
    const std::vector<int32_t> sentence = {3, 4, 0};
    for (Column& column : corpus.columns) column.add(sentence);
    corpus.numbers.push_back(i + 1);
  }
  return corpus;
}

struct Listener final : TrainListener {
  void on_update(const UpdateReport& r) override { updates.push_back(r); }
  void on_validation(const ValidationReport& r) override {
    validations.push_back(r.update);
    epochs.push_back(r.epoch);
  }
  void on_message(const std::string& message) override { messages.push_back(message); }
  std::vector<UpdateReport> updates;
  std::vector<std::string> messages;
  std::vector<int64_t> validations;
  std::vector<int64_t> epochs;  // of the validations
};

inline TrainConfig config() {
  TrainConfig config;
  config.batch_tokens = 6;  // two sentences
  config.updates = 20;
  config.validate_every = 5;
  config.log_every = 1;
  config.average = 1;
  config.optimiser.learning_rate = 0.1;
  config.optimiser.schedule = Schedule::constant;
  config.optimiser.warmup = 0;
  return config;
}

inline constexpr int64_t kWidth = 16;  // of the model, which the rate of noam depends on

struct Training {
  explicit Training(const std::string& path, TrainConfig train = config(), double target = 1.0)
      : objective(target),
        folder(ModelFolder::create(path)),
        trainer(train, kWidth, objective.store, objective, &objective, corpus, folder, {}) {}

  StopReason operator()(const TrainLimits& limits = {}) {
    Context c(1);
    return trainer.run(c, listener, limits);
  }
  float weight() const { return *objective.store.find("w")->value().data<float>(); }

  Corpus corpus = corpus_of(10);
  Parabola objective;
  ModelFolder folder;
  Trainer trainer;
  Listener listener;
};

}  // namespace heed::test
