#include "heed/train/training_run.h"

#include <algorithm>
#include <optional>

#include "heed/base/config_keys.h"
#include "heed/base/config_yaml.h"
#include "heed/base/file.h"
#include "heed/base/text_util.h"
#include "heed/data/corpus_reader.h"
#include "heed/kernels/cpu_level.h"
#include "heed/train/classification.h"
#include "heed/train/event_log.h"
#include "heed/train/run_checks.h"
#include "heed/train/saved_model.h"
#include "heed/train/translation.h"
#include "heed/train/unread_keys.h"
#include "heed/train/weights.h"

namespace heed {
namespace {

// Keys that decide when training stops or what is told of it, and no value on the way; and where the data and
// the teachers lie, as they are known by what is in them, and what training began with, which is not needed
// again.
bool may_differ(const std::string& key, const RunConfig& before, const RunConfig& config) {
  if (key == "train.start") return before.train.start.empty() == config.train.start.empty();
  if (key == "train.updates" || key == "train.epochs")
    return config.train.optimiser.schedule != Schedule::cosine;
  static const char* const kKeys[] = {"train.patience",     "train.log_every", "train.samples",
                                      "train.save_minutes", "text.codes",      "data.train.source",
                                      "data.train.target",  "data.train.tsv",  "data.dev.source",
                                      "data.dev.target",    "data.dev.tsv",    "train.distillation.teachers"};
  return std::any_of(std::begin(kKeys), std::end(kKeys), [&](const char* k) { return key == k; });
}

void require_same_config(const RunConfig& before, const RunConfig& config, const ModelFolder& folder) {
  for (const ConfigDifference& difference : differences(visit_of(before), visit_of(config))) {
    if (may_differ(difference.path, before, config)) continue;
    fail_input(
        "{}: this training began with {}: {}, now it is {}; resume with the same, or start anew with --out",
        folder.path(), difference.path, difference.first, difference.second);
  }
}

// How the configuration in a training's folder begins.
constexpr std::string_view kOfTraining = "# All keys of this training, as heed train last ran it.\n";

// Whether a training was begun here, be it that it never came to a checkpoint. Its configuration alone may be
// a copy; the lock is not copied with it.
bool was_begun(const std::string& path) {
  if (ModelFolder::at(path).latest()) return true;
  const std::string config = path + "/config.yaml";
  return file_exists(path + "/.lock") && file_exists(config) && read_file(config).starts_with(kOfTraining);
}

[[noreturn]] void fail_others_file(const std::string& path, const std::string& name) {
  fail_input("{}: {} is here, which is not of a training and would be lost; choose another --out", path,
             name);
}

void require_no_others_files(const std::string& path) {
  if (!folder_exists(path) || file_exists(path + "/model.safetensors")) return;
  for (const std::string& name : list_folder(path))
    if (name == "config.yaml" || name == "log.jsonl" || name.starts_with("events.out.tfevents."))
      fail_others_file(path, name);
}

// A folder held for one training: no other process trains there, and nothing that is there gets lost.
class TrainingFolder {
 public:
  TrainingFolder(const std::string& path, bool resume) : begun_(was_begun(path)) {
    if (!begun_) require_no_others_files(path);
    create_folders(path);
    lock_.emplace(path);
    folder_.emplace(ModelFolder::create(path));
    const auto latest = folder_->latest();
    if (latest && !resume)
      fail_input(
          "{}: a training is here already, at update {}; add --resume to go on with it, or choose another "
          "--out",
          path, *latest);
    if (!latest && folder_->has_weights())
      fail_input("{}: a model is here, and no checkpoint to go on from; choose another --out", path);
  }

  const ModelFolder& folder() const { return *folder_; }
  // Throws InputError where another's file has that name: the data themselves, it may be.
  void write_blob(const std::string& name, const std::string& bytes) const {
    if (!begun_ && folder_->has_blob(name) && folder_->read_blob(name) != bytes)
      fail_others_file(folder_->path(), name);
    folder_->write_blob(name, bytes);
  }

 private:
  bool begun_;
  std::optional<FolderLock> lock_;
  std::optional<ModelFolder> folder_;
};

// The model with what it is to learn, and how that is measured.
struct Task {
  AnyModel model;
  std::unique_ptr<const Objective> objective;
  std::unique_ptr<const Validator> validator;
};

Task make_task(const RunConfig& config, const ModelText& text, const TrainingData& data) {
  Task task{make_model(config, text, static_cast<uint64_t>(config.train.seed)), nullptr, nullptr};
  const LossOptions options{.smoothing = config.train.label_smoothing, .r_drop = config.train.r_drop};
  if (const Classifier* classifier = task.model.classifier.get()) {
    task.objective = std::make_unique<ClassificationObjective>(*classifier, options);
    task.validator = std::make_unique<ClassificationValidator>(*classifier, text, data, config.train);
  } else {
    const EncoderDecoder& translator = *task.model.encoder_decoder;
    const LossSchedule& schedule = config.train.loss_schedule;
    const std::vector<std::string>& teachers = schedule.distillation.teachers;
    task.objective = std::make_unique<TranslationObjective>(
        translator, options, schedule,
        teachers.empty()
            ? nullptr
            : std::make_unique<Teachers>(teachers, text, config.data,
                                         static_cast<int64_t>(data.train.column("target").ids.size())));
    task.validator = std::make_unique<TranslationValidator>(translator, text, data, config.train);
  }
  return task;
}

RunConfig resolved(RunConfig config) {
  config.precision = config.activations() == DType::bf16 ? Precision::bf16 : Precision::f32;
  TargetKind& kind = config.text.target_kind;
  if (config.model.classifies()) {
    if (kind != TargetKind::kSame && kind != TargetKind::kLabel)
      fail_input("text.target_kind: the target of a classifier is a label; leave the key out");
    kind = TargetKind::kLabel;
  } else if (kind == TargetKind::kLabel) {
    fail_input(
        "text.target_kind: label is for classifiers, but model.type is a translator; model.type: "
        "rnn_classifier "
        "is one");
  }
  return config;
}

// Writes what happens into the folder's logs and hands it on.
class LoggingListener final : public TrainListener {
 public:
  LoggingListener(const std::string& folder, int64_t last_update, TrainListener& next)
      : log_(folder, last_update), next_(next) {}

  void on_resume(const TrainState& state) override { next_.on_resume(state); }
  void on_message(const std::string& message) override { next_.on_message(message); }

  void on_update(const UpdateReport& r) override {
    log_.add("update", r.update,
             {{"epoch", r.epoch + 1},
              {"loss", r.loss},
              {"learning_rate", r.learning_rate},
              {"gradient_norm", r.gradient_norm},
              {"target_tokens_per_s", r.target_tokens_per_s},
              {"seconds", r.seconds}});
    next_.on_update(r);
  }

  void on_validation(const ValidationReport& r) override {
    std::vector<LogField> fields = {{"epoch", r.epoch + 1},
                                    {"seconds", r.trained_seconds},
                                    {"dev_loss", r.result.loss},
                                    {"best", r.best}};
    for (const auto& [name, value] : r.result.metrics) fields.emplace_back(name, value);
    JsonWriter samples;
    samples.begin_array();
    for (const ValidationSample& s : r.result.samples) {
      samples.begin_object()
          .field("source", s.source)
          .field("target", s.target)
          .field("output", s.output)
          .end_object();
    }
    fields.emplace_back("samples", JsonText{samples.end_array().text()});
    log_.add("validation", r.update, fields);
    next_.on_validation(r);
  }

  void on_save() override { log_.sync(); }

 private:
  EventLog log_;
  TrainListener& next_;
};

// The same bytes come only from the same arithmetic.
void warn_if_elsewhere(const ModelStamp& before, const ModelStamp& now, TrainListener& listener) {
  if (before.precision == now.precision && before.processor == now.processor &&
      before.heed_version == now.heed_version)
    return;
  listener.on_message(
      fmt::format("warning: this training ran with heed {} in {} on {} before, now with heed {} in {} on {}; "
                  "it goes on well, but "
                  "not to the same bytes as if it had stayed there",
                  before.heed_version, before.precision, before.processor, now.heed_version, now.precision,
                  now.processor));
}

void report(const CorpusReport& corpus, TrainListener& listener) {
  for (const std::string& message : corpus.messages()) listener.on_message(message);
}

}  // namespace

StopReason train_model(const RunConfig& asked, const std::string& path, const TrainingOptions& options,
                       TrainListener& listener) {
  RunConfig config = resolved(asked);
  check_before_reading(config);

  // A new folder is made when all has been read, so that wrong data leaves nothing behind.
  require_place_for_folder(path);
  std::optional<TrainingFolder> held;
  if (folder_exists(path)) held.emplace(path, options.resume);
  const bool resuming = held && held->folder().latest();
  if (resuming) {
    const RunConfig before = load_config(held->folder());
    if (asked.precision == Precision::automatic) config.precision = before.precision;
    require_same_config(before, config, held->folder());
  }
  if (!resuming) {
    refuse_unread_keys(config);
    if (options.resume)
      listener.on_message(path + ": there is nothing to go on with yet; the training begins");
  }
  std::optional<ModelFolder> before;  // that has the text part and weights to begin with
  if (resuming)
    before.emplace(held->folder());
  else if (!config.train.start.empty())
    before.emplace(open_start(config));
  else
    listener.on_message("learning the vocabulary from " + config.data.train.name());
  const ModelText text =
      before ? load_text(config.text, *before)
             : ModelText::build(config.text, open_sentences(config.data.train), config.data.train.name());
  const TrainingData data = read_training_data(config.data, text);
  report(data.train_report, listener);
  if (!data.dev.empty())
    report(data.dev_report, listener);
  else
    listener.on_message(
        "no sentence is held out: there are fewer than 20, or data.held_out is 0; nothing is validated");
  const Task task = make_task(config, text, data);
  Context c(options.threads, config.activations());
  check_with_data(c, config, data, task.model);

  ParameterStore& parameters = task.model.model().parameters();
  if (before && !resuming) {
    const SafetensorsFile weights = before->read_weights();
    load_weights(weights, parameters);
    listener.on_message(fmt::format("beginning with the weights of {}, update {}", before->path(),
                                    ModelStamp::of(weights).update));
  }

  if (!held) held.emplace(path, false);
  const ModelFolder& folder = held->folder();
  const ModelStamp stamp{.precision = std::string(name_of(c.precision)),
                         .processor = std::string(name_of(kernels::cpu_level()))};
  Trainer trainer(config.train, config.model.width(), parameters, *task.objective,
                  data.dev.empty() ? nullptr : task.validator.get(), data.train, folder, stamp);
  if (resuming) {
    trainer.resume();
    warn_if_elsewhere(folder.open_checkpoint(trainer.state().update).stamp, stamp, listener);
    listener.on_resume(trainer.state());
  }
  if (!resuming)
    for (const auto& [name, bytes] : text.save(config.text)) held->write_blob(name, bytes);
  // Last, so that a folder with a configuration has all that a model needs but its weights, and one whose
  // training cannot go on with this configuration keeps its own.
  folder.write_config(std::string(kOfTraining) + write_yaml(config));
  listener.on_message(fmt::format("{} parameters, {}, {}, {} threads", parameters.count(), text.sizes(),
                                  name_of(c.precision), options.threads));
  const std::vector<std::string>& teachers = config.train.loss_schedule.distillation.teachers;
  if (!teachers.empty()) listener.on_message("taught by " + joined(teachers));
  LoggingListener logging(path, trainer.state().update, listener);
  return trainer.run(c, logging, options.limits);
}

}  // namespace heed
