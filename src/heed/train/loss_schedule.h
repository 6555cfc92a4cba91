// What training adds to the cross-entropy of gold tokens, and how that changes over its updates.
#pragma once

#include <string>
#include <vector>

#include "heed/base/config.h"
#include "heed/models/encoder_decoder.h"

namespace heed {

struct GuidedAttentionConfig {
  double weight = 0.0;
  double width = 0.2;
  int64_t half_life = 0;
  int64_t layer = 0;
  int64_t head = 0;
  int64_t measure = 0;

  void visit(ConfigVisitor& v);
  // update counts from 1.
  GuidedAttentionOptions at(int64_t update) const;
};

// How the probability of gold tokens falls with the update i (Bengio et al. 2015, section 2.4):
//   constant          epsilon
//   linear            max(epsilon, k - c i)
//   exponential       max(epsilon, k^i),                k < 1
//   inverse_sigmoid   max(epsilon, k / (k + exp(i/k))), k >= 1
enum class SamplingSchedule { none, constant, linear, exponential, inverse_sigmoid };

struct ScheduledSamplingConfig {
  SamplingSchedule schedule = SamplingSchedule::none;
  double teacher_forcing = 0.0;  // epsilon
  double k = 1.0;
  double slope = 0.0;  // c
  bool sample = false;

  void visit(ConfigVisitor& v);
  // update counts from 1.
  ScheduledSampling at(int64_t update) const;
};

// Word-level knowledge distillation (Kim & Rush 2016; of an ensemble: Sun et al. 2019, "Token-Level Ensemble
// Distillation for Grapheme-to-Phoneme Conversion").
struct DistillationConfig {
  std::vector<std::string> teachers;  // model folders
  double weight = 0.9;

  void visit(ConfigVisitor& v);
};

struct LossSchedule {
  GuidedAttentionConfig guided_attention;
  ScheduledSamplingConfig scheduled_sampling;
  DistillationConfig distillation;

  void visit(ConfigVisitor& v);
  // Throws InputError when keys do not fit together.
  void check() const;
  bool is_plain() const {
    return guided_attention.weight == 0.0 && guided_attention.measure == 0 &&
           scheduled_sampling.schedule == SamplingSchedule::none && distillation.teachers.empty();
  }
};

}  // namespace heed
