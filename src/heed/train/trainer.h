// The trainer: updates, validation, checkpoints, and resuming to the bit.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "heed/checkpoint/model_folder.h"
#include "heed/data/batch.h"
#include "heed/metrics/metric_text.h"
#include "heed/train/loss_schedule.h"
#include "heed/train/objective.h"
#include "heed/train/optimiser.h"

namespace heed {

enum class StopMetric { loss, bleu, chrf, accuracy, f1, wer };

struct TrainConfig {
  BatchSize batch_by = BatchSize::kPadded;
  int64_t batch_tokens = 4096;
  int64_t batch_sentences = 32;
  bool sort_by_length = true;
  int64_t accumulate = 1;
  int64_t updates = 100000;
  int64_t epochs = 0;
  OptimiserConfig optimiser;
  double label_smoothing = 0.1;
  double r_drop = 0.0;
  LossSchedule loss_schedule;
  int64_t validate_every = 0;
  int64_t patience = 10;
  StopMetric metric = StopMetric::loss;
  int64_t average = 5;
  double save_minutes = 10.0;
  int64_t log_every = 50;
  MetricTokenizer bleu_tokenize = MetricTokenizer::k13a;
  int64_t samples = 4;
  int64_t seed = 1;
  std::string start;

  void visit(ConfigVisitor& v);
  BatchOptions batches() const;
};

struct UpdateReport {
  int64_t update = 0, epoch = 0;
  double done = 0.0;  // share of the training, as far as can be said: 0 to 1
  double loss = 0.0;  // mean since the last report
  double learning_rate = 0.0;
  double gradient_norm = 0.0;
  double target_tokens_per_s = 0.0;
  double seconds = 0.0;  // of training, over all its resumptions
};

struct ValidationReport {
  int64_t update = 0, epoch = 0;
  Validation result;
  bool best = false;
  double seconds = 0.0;          // that validating took
  double trained_seconds = 0.0;  // of training so far
};

struct TrainState;

// Told as training goes on.
class TrainListener {
 public:
  virtual ~TrainListener() = default;
  virtual void on_resume(const TrainState&) {}
  virtual void on_update(const UpdateReport&) {}
  virtual void on_validation(const ValidationReport&) {}
  // Before a checkpoint is written: what was said so far must not be lost where it is kept.
  virtual void on_save() {}
  virtual void on_message(const std::string&) {}
};

enum class StopReason { updates, epochs, patience, time, interrupted };

// Where a training stands between two updates; a checkpoint holds it as JSON.
struct TrainState {
  int64_t update = 0;           // done so far
  int64_t epoch = 0;            // of the next update, from 0
  int64_t update_in_epoch = 0;  // index of the next update
  double seconds = 0.0;
  int64_t validations_without_gain = 0;
  std::optional<double> best_value;
  int64_t best_update = 0;
  std::vector<int64_t> validated;  // updates with a validated checkpoint still needed for averaging
  std::string data_fingerprint;
  std::string dev_fingerprint;        // empty without a validator
  std::string objective_fingerprint;  // empty without teachers

  std::string to_json() const;
  // Throws InputError naming `name` when it is damaged.
  static TrainState from_json(const std::string& json, const std::string& name);
};

struct TrainLimits {
  using Clock = std::chrono::steady_clock;

  double minutes = 0.0;                    // 0: none
  Clock::time_point start = Clock::now();  // from when they count
  std::function<bool()> interrupted = {};  // polled before each update
};

class Trainer {
 public:
  // All must outlive it. Without a validator (null) the last weights count as the best. `stamp` is completed
  // with the update, what was trained on and what dev gave, and goes into every checkpoint.
  Trainer(const TrainConfig& config, int64_t width, ParameterStore& parameters, const Objective& objective,
          const Validator* validator, const Corpus& corpus, const ModelFolder& folder, ModelStamp stamp);

  // Goes on from the latest checkpoint. Throws InputError when that does not fit the model or the data.
  void resume();

  // Trains until something ends it, and leaves the folder with usable weights: the average of the last
  // validated checkpoints where that is better than the best one. Interrupted, it leaves a checkpoint, and
  // the weights of the best validation so far. Throws Error when the loss is no longer a number, or one above
  // 1000 nats a token.
  StopReason run(Context& c, TrainListener& listener, const TrainLimits& limits);

  const TrainState& state() const { return state_; }

 private:
  struct Progress;  // since the last report

  void one_update(Context& c, const BatchPlan& plan, Progress& progress);
  [[noreturn]] void fail_diverged(const BatchPlan& plan, double loss, double norm) const;
  std::string advice_on_divergence() const;
  // Validates, saves a checkpoint, and a new best one as the folder's weights. Throws Error, and saves
  // nothing, when the loss is no number. What stands off the schedule (`planned` is false), where a training
  // happened to end, leaves no trace in the checkpoint: resumed, it goes on as if it had not ended there.
  void validate(Context& c, TrainListener& listener, int64_t epoch, bool planned);
  void write_weights() const;
  void save(TrainListener& listener, bool best, const TrainState& state) const;
  // Why no further update follows; nothing while one does.
  std::optional<StopReason> reason_to_stop(const TrainLimits& limits) const;
  BatchPlan plan_of_epoch() const;
  // What state_.update will be in the end if nothing but train.updates or train.epochs ends the training.
  double planned_updates(const BatchPlan& plan) const;
  // The same, or how far the time will do, going by the speed so far: for people.
  double expected_updates(const TrainLimits& limits, const BatchPlan& plan) const;
  void finish(Context& c, TrainListener& listener);
  double value_of(const Validation& validation) const;  // smaller is better

  TrainConfig config_;
  int64_t width_;
  ParameterStore& parameters_;
  const Objective& objective_;
  const Validator* validator_;
  const Corpus& corpus_;
  const ModelFolder& folder_;
  ModelStamp stamp_;  // of the weights as they are
  Adam adam_;
  TrainState state_;
};

}  // namespace heed
