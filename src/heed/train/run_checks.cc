#include "heed/train/run_checks.h"

#include <algorithm>

#include "heed/base/config_keys.h"
#include "heed/base/file.h"
#include "heed/data/batch.h"
#include "heed/data/corpus_reader.h"
#include "heed/train/classification.h"
#include "heed/train/saved_model.h"
#include "heed/train/translation.h"

namespace heed {
namespace {

// Opens the files, so that one that is missing is told too.
void check_columns(const CorpusConfig& corpus, const char* name, bool classifies) {
  for (const std::string& path : {corpus.source, corpus.target, corpus.tsv})
    if (!path.empty() && can_be_read_once(path))
      fail_input(
          "{}: a pipe or device can be read once, but training reads its data several times; write it "
          "to a file",
          path);
  if (CorpusReader(corpus).has_target()) return;
  fail_input("{}: {}; give data.{}.target, or a {} column in the tsv", corpus.name(),
             classifies ? "a classifier is learnt from texts and their labels"
                        : "a translation is learnt from two sides",
             name, classifies ? "label" : "target");
}

void check_metric(StopMetric metric, bool classifies) {
  const bool of_classes = metric == StopMetric::accuracy || metric == StopMetric::f1;
  if (!classifies && of_classes)
    fail_input("train.metric: translations are measured by loss, bleu, chrf or wer; choose one of them");
  if (classifies && !of_classes && metric != StopMetric::loss)
    fail_input("train.metric: classes are measured by loss, accuracy or f1; choose one of them");
}

void check_tying(const RunConfig& config) {
  if (!config.model.ties_source() || config.text.is_shared()) return;
  fail_input("model.tying: all needs one vocabulary for both sides, but {}; set {}model.tying: target",
             config.text.shared ? "text.target_kind cuts the target differently" : "text.shared is false",
             config.text.shared ? "" : "text.shared: true, or ");
}

// What the model and its loss refuse, they refuse of one empty sentence as well. How large the vocabularies
// will be is not known yet, and does not matter to that; nor do the weights.
void check_loss(const RunConfig& config, const Objective& objective, Model& model, const char* target) {
  for (const Buffer& weights : model.parameters().saved())
    std::fill_n(weights.value.data<float>(), weights.value.size(), 0.0f);
  Corpus corpus;
  for (const char* side : {"source", target})
    corpus.columns.emplace_back(Column{side}).add(std::vector{kEndToken});
  corpus.numbers = {1};
  Context c(1, config.activations());
  const AsInTraining mode(c);
  objective.loss(c, make_batch(corpus, std::vector{uint32_t{0}}), 1);
}

void check_model(const RunConfig& config) {
  constexpr int64_t kSomeWords = 8;
  const LossOptions options{.smoothing = config.train.label_smoothing, .r_drop = config.train.r_drop};
  if (config.model.classifies()) {
    const auto model = make_classifier(config.model, kSomeWords, 2, std::nullopt);
    return check_loss(config, ClassificationObjective(*model, options), *model, "label");
  }
  const auto model = make_encoder_decoder(config.model, kSomeWords, kSomeWords, std::nullopt);
  check_loss(config, TranslationObjective(*model, options, config.train.loss_schedule), *model, "target");
  const int64_t longest = model->step_decoder()->longest();
  if (std::max(config.data.max_source_length, config.data.max_target_length) > longest)
    fail_input(
        "data.max_source_length {} and data.max_target_length {}: the model has only {} positions; lower "
        "them, or raise model.max_positions",
        config.data.max_source_length, config.data.max_target_length, longest);
}

}  // namespace

void check_before_reading(const RunConfig& config) {
  const bool classifies = config.model.classifies();
  config.text.check();
  config.train.loss_schedule.check();
  if (classifies && !config.train.loss_schedule.is_plain())
    fail_input(
        "train.guided_attention, train.scheduled_sampling and train.distillation are for models that write; "
        "leave them out");
  const LossSchedule& schedule = config.train.loss_schedule;
  const bool taught = !schedule.distillation.teachers.empty();
  if (taught && config.train.r_drop > 0.0)
    fail_input("train.r_drop and train.distillation change the same loss; leave one of them out");
  // A teacher's distributions are of the words that the data have before each; they say nothing about others.
  if (taught && schedule.scheduled_sampling.schedule != SamplingSchedule::none)
    fail_input(
        "train.scheduled_sampling lets the model read its own words, but what train.distillation.teachers "
        "expect is of the words of the data; leave one of them out");
  for (const std::string& teacher : schedule.distillation.teachers)
    if (load_config(ModelFolder::open(teacher)).model.classifies())
      fail_input("train.distillation.teachers: {} is a classifier; a teacher is a model that writes",
                 teacher);
  check_metric(config.train.metric, classifies);
  check_tying(config);
  check_model(config);
  check_columns(config.data.train, "train", classifies);
  if (config.data.dev.given()) check_columns(config.data.dev, "dev", classifies);
}

ModelFolder open_start(const RunConfig& config) {
  ModelFolder folder = ModelFolder::open(config.train.start);
  folder.read_weights();
  const RunConfig before = load_config(folder);
  if (before.model.classifies() != config.model.classifies())
    fail_input("train.start: {} {}, and the model here {}; choose another folder, or another model.type",
               folder.path(), before.model.classifies() ? "is a classifier" : "writes",
               config.model.classifies() ? "is a classifier" : "writes");
  for (const auto& [key, then, now] : differences(visit_of(before), visit_of(config))) {
    const bool matters = (key.starts_with("text.") && key != "text.codes") ||
                         (key.starts_with("model.") && key.find("dropout") == std::string::npos);
    if (matters)
      fail_input("train.start: {} has {}: {}, here it is {}; set it as there", folder.path(), key, then, now);
  }
  if (!config.text.codes.empty())
    for (const std::string& name : ModelText::file_names(config.text))
      if (name.ends_with(".bpe") && read_codes(config.text.codes) != folder.read_blob(name))
        fail_input("train.start: {} cuts text with other codes than {}; leave text.codes out", folder.path(),
                   config.text.codes);
  return folder;
}

void check_with_data(Context& c, const RunConfig& config, const TrainingData& data, const AnyModel& model) {
  GuidedAttentionConfig guided = config.train.loss_schedule.guided_attention;
  if (guided.measure == 0 || data.dev.empty()) return;
  guided.measure = 1;
  mass_near_diagonal(c, *model.encoder_decoder, data.dev, guided);
}

}  // namespace heed
