#include "heed/train/unread_keys.h"

#include <string>

#include "heed/base/error.h"

namespace heed {
namespace {

// The keys of one group.
template <class Config>
class Keys {
 public:
  Keys(const Config& config, std::string group) : config_(config), group_(std::move(group)) {}

  // `otherwise` goes on the sentence "KEY does nothing ".
  template <class Value>
  void read_if(bool read, Value Config::*key, const char* name, const std::string& otherwise) const {
    if (!read && config_.*key != Config().*key) fail_input("{}.{} does nothing {}", group_, name, otherwise);
  }

 private:
  const Config& config_;
  std::string group_;
};

void check(const ScheduledSamplingConfig& config) {
  const Keys<ScheduledSamplingConfig> keys(config, "train.scheduled_sampling");
  const bool samples = config.schedule != SamplingSchedule::none;
  const std::string otherwise = std::string("with this train.scheduled_sampling.schedule; ") +
                                (samples ? "leave it out" : "choose one that is not none");
  keys.read_if(samples, &ScheduledSamplingConfig::teacher_forcing, "teacher_forcing", otherwise);
  keys.read_if(samples, &ScheduledSamplingConfig::sample, "sample", otherwise);
  keys.read_if(samples && config.schedule != SamplingSchedule::constant, &ScheduledSamplingConfig::k, "k",
               otherwise);
  keys.read_if(config.schedule == SamplingSchedule::linear, &ScheduledSamplingConfig::slope, "slope",
               otherwise);
}

void check(const TextConfig& config) {
  const Keys<TextConfig> keys(config, "text");
  const bool labels = config.target_kind == TargetKind::kLabel;
  const auto of_a_side = [&](TextKind kind) {
    return config.kind == kind || (!labels && config.kind_of_target() == kind);
  };
  keys.read_if(of_a_side(TextKind::kBpe), &TextConfig::codes, "codes",
               "without text.kind: bpe; set that, or leave it out");
  keys.read_if(!config.is_shared() && !labels, &TextConfig::target_vocabulary, "target_vocabulary",
               "where the target side has no vocabulary of its own; set text.shared: false, or leave it out");
  const bool learnt = of_a_side(TextKind::kSentencePiece);
  const std::string unlearnt = "without text.kind: sentencepiece; leave it out";
  keys.read_if(learnt, &TextConfig::algorithm, "algorithm", unlearnt);
  keys.read_if(learnt, &TextConfig::byte_fallback, "byte_fallback", unlearnt);
  keys.read_if(learnt, &TextConfig::character_coverage, "character_coverage", unlearnt);
}

void check(const TrainConfig& config, bool validates) {
  const Keys<TrainConfig> keys(config, "train");
  const bool by_sentences = config.batch_by == BatchSize::kSentences;
  keys.read_if(by_sentences, &TrainConfig::batch_sentences, "batch_sentences",
               "without train.batch_by: sentences; set that, or give train.batch_tokens");
  keys.read_if(!by_sentences, &TrainConfig::batch_tokens, "batch_tokens",
               "with train.batch_by: sentences; give train.batch_sentences");
  Keys(config.optimiser, "train")
      .read_if(config.optimiser.schedule == Schedule::cosine, &OptimiserConfig::final_rate, "final_rate",
               "without train.schedule: cosine; leave it out");
  const LossSchedule& schedule = config.loss_schedule;
  Keys(schedule.distillation, "train.distillation")
      .read_if(!schedule.distillation.teachers.empty(), &DistillationConfig::weight, "weight",
               "without train.distillation.teachers; give model folders, or leave it out");
  Keys(schedule.guided_attention, "train.guided_attention")
      .read_if(schedule.guided_attention.weight > 0.0, &GuidedAttentionConfig::half_life, "half_life",
               "while train.guided_attention.weight is 0; give a weight, or leave it out");
  check(schedule.scheduled_sampling);
  const std::string unmeasured = "with data.held_out: 0 and no data.dev: nothing is measured; leave it out";
  keys.read_if(validates, &TrainConfig::metric, "metric", unmeasured);
  Keys(schedule.guided_attention, "train.guided_attention")
      .read_if(validates, &GuidedAttentionConfig::measure, "measure", unmeasured);
}

}  // namespace

void refuse_unread_keys(const RunConfig& config) {
  check(config.text);
  check(config.train, config.data.dev.given() || config.data.held_out > 0);
}

}  // namespace heed
