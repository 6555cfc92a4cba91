// Translation as a task: what is minimised and what is measured.
#pragma once

#include <memory>
#include <utility>

#include "heed/data/corpus.h"
#include "heed/decode/translator.h"
#include "heed/train/objective.h"
#include "heed/train/teachers.h"
#include "heed/train/trainer.h"

namespace heed {

// Cross-entropy of the target given the source, label-smoothed, and what the schedule adds at each update.
class TranslationObjective final : public Objective {
 public:
  // teachers: those of the schedule's distillation, or null.
  TranslationObjective(const EncoderDecoder& model, const LossOptions& options,
                       const LossSchedule& schedule = {}, std::unique_ptr<Teachers> teachers = nullptr)
      : model_(model), options_(options), schedule_(schedule), teachers_(std::move(teachers)) {}
  BatchLoss loss(Context& c, const Batch& batch, int64_t update) const override;
  std::string fingerprint() const override { return teachers_ ? teachers_->fingerprint() : std::string(); }

 private:
  const EncoderDecoder& model_;
  LossOptions options_;
  LossSchedule schedule_;
  std::unique_ptr<Teachers> teachers_;
};

// Percent of the attention that `guided` chooses, over its first `measure` sentences, that lies within its
// width of the diagonal: |n/N - t/T| <= g. Throws InputError when the model has no such attention.
double mass_near_diagonal(Context& c, const EncoderDecoder& model, const Corpus& corpus,
                          const GuidedAttentionConfig& guided);

// Loss on dev, BLEU and chrF of its greedy translations, and WER where it says which weights are best,
// against references in the case and normal form that the model writes; `diagonal` where it is asked for.
class TranslationValidator final : public Validator {
 public:
  TranslationValidator(const EncoderDecoder& model, const ModelText& text, const TrainingData& data,
                       const TrainConfig& config);
  Validation validate(Context& c) const override;
  std::string fingerprint() const override { return data_.dev.fingerprint(); }

 private:
  const EncoderDecoder& model_;
  Translator translator_;
  const TrainingData& data_;
  std::vector<std::string> references_;
  const TrainConfig& config_;
};

}  // namespace heed
