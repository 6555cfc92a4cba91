// Classification as a task: what is minimised and what is measured.
#pragma once

#include "heed/data/corpus.h"
#include "heed/models/classifier.h"
#include "heed/train/objective.h"
#include "heed/train/trainer.h"

namespace heed {

// Cross-entropy of the label given the text, label-smoothed; the mean over texts.
class ClassificationObjective final : public Objective {
 public:
  ClassificationObjective(const Classifier& model, const LossOptions& options)
      : model_(model), options_(options) {}
  BatchLoss loss(Context& c, const Batch& batch, int64_t update) const override;

 private:
  const Classifier& model_;
  LossOptions options_;
};

// Loss, accuracy and macro F1 on dev.
class ClassificationValidator final : public Validator {
 public:
  ClassificationValidator(const Classifier& model, const ModelText& text, const TrainingData& data,
                          const TrainConfig& config)
      : model_(model), text_(text), data_(data), config_(config) {}
  Validation validate(Context& c) const override;
  std::string fingerprint() const override { return data_.dev.fingerprint(); }

 private:
  const Classifier& model_;
  const ModelText& text_;
  const TrainingData& data_;
  const TrainConfig& config_;
};

}  // namespace heed
