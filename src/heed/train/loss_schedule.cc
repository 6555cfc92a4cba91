#include "heed/train/loss_schedule.h"

#include <algorithm>
#include <cmath>

#include "heed/base/error.h"

namespace heed {

void GuidedAttentionConfig::visit(ConfigVisitor& v) {
  v("weight", weight, "weight in the loss at the first update; 0: off", between(0, 1000));
  v("width", width, "g: how far from the diagonal, as a share of the length, attention may stray",
    between(1e-3, 1e3));
  v("half_life", half_life,
    "updates in which the weight falls to its half, after twenty times as many to 0; 0: it stays",
    between(0, 1e9));
  v("layer", layer, "the layer whose attention to the source is guided, from 1; 0: all", between(0, 1000));
  v("head", head, "the head that is guided, from 1; 0: all", between(0, 1024));
  v("measure", measure,
    "dev sentences on which each validation measures how much of this attention lies within `width` of the "
    "diagonal; 0: none",
    between(0, 1e6));
}

GuidedAttentionOptions GuidedAttentionConfig::at(int64_t update) const {
  const double halvings =
      half_life > 0 ? static_cast<double>(update - 1) / static_cast<double>(half_life) : 0.0;
  // After that it no longer matters, and the model need not hand its attention out.
  constexpr double kMostHalvings = 20.0;
  return {.weight = halvings > kMostHalvings ? 0.0 : weight * std::exp2(-halvings),
          .width = width,
          .layer = layer,
          .head = head};
}

void ScheduledSamplingConfig::visit(ConfigVisitor& v) {
  v("schedule", schedule, {"none", "constant", "linear", "exponential", "inverse_sigmoid"},
    "how the probability of the gold token falls over updates i: it is teacher_forcing, k - slope i, k^i, or "
    "k / (k + exp(i / k))");
  v("teacher_forcing", teacher_forcing, "the probability itself (constant), or the least it falls to",
    between(0, 1));
  v("k", k, "k of the schedule: linear: 1 or so; exponential: below 1; inverse_sigmoid: 1 or more",
    between(0, 1e9));
  v("slope", slope, "linear: what is lost an update", between(0, 1));
  v("sample", sample, "predictions are drawn from the model's distribution; false: its best word");
}

ScheduledSampling ScheduledSamplingConfig::at(int64_t update) const {
  const auto i = static_cast<double>(update);
  double gold = 1.0;
  switch (schedule) {
    case SamplingSchedule::none:
      return {};
    case SamplingSchedule::constant:
      gold = teacher_forcing;
      break;
    case SamplingSchedule::linear:
      gold = k - slope * i;
      break;
    case SamplingSchedule::exponential:
      gold = std::pow(k, i);
      break;
    case SamplingSchedule::inverse_sigmoid:
      gold = k / (k + std::exp(i / k));
      break;
  }
  return {.teacher_forcing = std::clamp(gold, teacher_forcing, 1.0), .sample = sample};
}

void DistillationConfig::visit(ConfigVisitor& v) {
  v("teachers", teachers,
    "model folders, trained on the same data with the same text settings; the mean of their probabilities is "
    "learnt");
  v("weight", weight, "its share in what is learnt, beside the target of the data", between(0, 1));
}

void LossSchedule::visit(ConfigVisitor& v) {
  v.group("guided_attention", guided_attention,
          "attention to the source is drawn to the diagonal (Tachibana et al. 2017), for tasks in order; not "
          "with windows or monotonic attention");
  v.group("scheduled_sampling", scheduled_sampling,
          "the decoder reads some of its own predictions (Bengio et al. 2015; Transformers: Mihaylova & "
          "Martins 2019)");
  v.group(
      "distillation", distillation,
      "what other models expect is learnt beside the data (Hinton et al. 2015; Kim & Rush 2016); not with "
      "r_drop or scheduled_sampling, nor for classifiers");
}

void LossSchedule::check() const {
  const ScheduledSamplingConfig& s = scheduled_sampling;
  if (s.schedule == SamplingSchedule::exponential && !(s.k < 1.0))
    fail_input("train.scheduled_sampling.k: {} never falls when it is raised to the update; give one below 1",
               s.k);
  if (s.schedule == SamplingSchedule::inverse_sigmoid && s.k < 1.0)
    fail_input("train.scheduled_sampling.k: an inverse sigmoid wants 1 or more, found {}", s.k);
  if (s.schedule == SamplingSchedule::linear && s.slope == 0.0)
    fail_input("train.scheduled_sampling.slope: a linear schedule wants more than 0; found 0");
}

}  // namespace heed
