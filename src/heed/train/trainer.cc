#include "heed/train/trainer.h"

#include <fmt/ranges.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <nlohmann/json.hpp>

#include "heed/base/random.h"
#include "heed/base/text_util.h"
#include "heed/train/step.h"
#include "heed/train/weights.h"

namespace heed {
namespace {

using Clock = TrainLimits::Clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Nats a token. Chance over a million words is 14; what stands here gives the right word no probability at
// all.
constexpr double kHopelessLoss = 1000.0;

constexpr const char* kAfterDamage = "remove this checkpoint to go on from the one before it";

std::map<std::string, double> measures_of(const Validation& validation) {
  std::map<std::string, double> measures = validation.metrics;
  measures["loss"] = validation.loss;
  return measures;
}

}  // namespace

void TrainConfig::visit(ConfigVisitor& v) {
  v("batch_by", batch_by, {"padded", "rows", "sentences"},
    "what limits a batch: longest sentence times sentences, or rows, at most batch_tokens; or "
    "batch_sentences");
  v("batch_tokens", batch_tokens, "tokens a batch", between(1, 1e8));
  v("batch_sentences", batch_sentences, "sentences a batch, with batch_by: sentences", between(1, 1e6));
  v("sort_by_length", sort_by_length, "sentences of similar length make a batch; false: any do");
  v("accumulate", accumulate, "batches an update", between(1, 65536));
  v("updates", updates, "updates at most", between(1, 1e9));
  v("epochs", epochs, "passes over the data at most; 0: no limit", between(0, 1e6));
  optimiser.visit(v);
  v("label_smoothing", label_smoothing, "probability spread over all words (Szegedy et al. 2016)",
    between(0, 0.99));
  v("r_drop", r_drop, "weight of R-Drop (Wu, Liang et al. 2021): each batch is read twice; 0: off",
    between(0, 100));
  v("validate_every", validate_every, "updates between validations, each with a checkpoint; 0: once an epoch",
    between(0, 1e9));
  v("patience", patience, "validations without gain before training stops; 0: never", between(0, 1e6));
  v("metric", metric, {"loss", "bleu", "chrf", "accuracy", "f1", "wer"},
    "what decides which checkpoint is best");
  v("average", average, "last validated checkpoints averaged at the end; 1: the best one is kept",
    between(1, 1000));
  v("save_minutes", save_minutes,
    "a checkpoint after so many minutes without one, so that a power cut costs no more; 0: only at "
    "validations",
    between(0, 1e6));
  v("log_every", log_every, "updates between two lines of the log", between(1, 1e9));
  v("bleu_tokenize", bleu_tokenize, {"13a", "intl", "char", "none"}, "how text is cut for BLEU on dev");
  v("samples", samples, "dev sentences whose translations are logged at each validation", between(0, 1000));
  v("seed", seed, "of initialisation, order and dropout", between(0, 1e15));
  v("start", start,
    "model folder with whose weights and vocabulary training begins, instead of anew: to go on with other "
    "data (fine-tuning) or another loss; text and model are set as there, but for dropout");
  loss_schedule.visit(v);
}

BatchOptions TrainConfig::batches() const {
  return {.size = batch_by,
          .tokens = batch_tokens,
          .sentences = batch_sentences,
          .by_length = sort_by_length,
          .batches_per_update = accumulate};
}

std::string TrainState::to_json() const {
  nlohmann::json json = {{"update", update},
                         {"epoch", epoch},
                         {"update_in_epoch", update_in_epoch},
                         {"seconds", seconds},
                         {"validations_without_gain", validations_without_gain},
                         {"best_update", best_update},
                         {"validated", validated},
                         {"data_fingerprint", data_fingerprint},
                         {"dev_fingerprint", dev_fingerprint},
                         {"objective_fingerprint", objective_fingerprint}};
  if (best_value) json["best_value"] = *best_value;
  return json.dump(1);
}

TrainState TrainState::from_json(const std::string& text, const std::string& name) {
  try {
    const nlohmann::json json = nlohmann::json::parse(text);
    const auto whole = [&](const nlohmann::json& number, const char* what, int64_t most) {
      if (number.is_number_unsigned() && number.get<uint64_t>() <= static_cast<uint64_t>(most))
        return number.get<int64_t>();
      fail_input(
          "{}: the training's state is damaged: \"{}\" has {}, expected a whole number from 0 to {}; {}",
          name, what, in_quotes(number.dump()), most, kAfterDamage);
    };
    constexpr int64_t kMostUpdates = int64_t{1} << 40;
    TrainState state;
    state.update = whole(json.at("update"), "update", kMostUpdates);
    const auto count = [&](const char* what) { return whole(json.at(what), what, state.update); };
    state.epoch = count("epoch");  // each of them, as all below, has an update at least
    state.update_in_epoch = count("update_in_epoch");
    state.seconds = json.at("seconds");
    state.validations_without_gain = count("validations_without_gain");
    state.best_update = count("best_update");
    for (const nlohmann::json& update : json.at("validated"))
      state.validated.push_back(whole(update, "validated", state.update));
    state.data_fingerprint = json.at("data_fingerprint");
    state.dev_fingerprint = json.at("dev_fingerprint");
    state.objective_fingerprint = json.value("objective_fingerprint", std::string());  // older ones have none
    if (json.contains("best_value")) state.best_value = json.at("best_value").get<double>();
    return state;
  } catch (const nlohmann::json::exception& error) {
    fail_input("{}: the training's state is damaged: {}; {}", name, error.what(), kAfterDamage);
  }
}

struct Trainer::Progress {
  double loss = 0.0, count = 0.0;
  double norm = 0.0, rate = 0.0;
  int64_t tokens = 0;
  double seconds = 0.0;
};

Trainer::Trainer(const TrainConfig& config, int64_t width, ParameterStore& parameters,
                 const Objective& objective, const Validator* validator, const Corpus& corpus,
                 const ModelFolder& folder, ModelStamp stamp)
    : config_(config),
      width_(width),
      parameters_(parameters),
      objective_(objective),
      validator_(validator),
      corpus_(corpus),
      folder_(folder),
      stamp_(std::move(stamp)),
      adam_(config.optimiser, parameters) {
  stamp_.examples = static_cast<int64_t>(corpus.size());
  state_.data_fingerprint = corpus.fingerprint();
  state_.objective_fingerprint = objective.fingerprint();
  if (validator != nullptr) state_.dev_fingerprint = validator->fingerprint();
}

void Trainer::resume() {
  const std::optional<int64_t> latest = folder_.latest();
  if (!latest) return;
  const OpenedCheckpoint checkpoint = folder_.open_checkpoint(*latest);
  const std::string name = fmt::format("{}, update {}", folder_.path(), *latest);
  TrainState state = TrainState::from_json(checkpoint.state, name);
  if (state.update != *latest)
    fail_input("{}: the training's state is that of update {}", name, state.update);
  const auto require_same = [&](const std::string& then, const std::string& now, const char* what) {
    if (then != now)
      fail_input(
          "{}: the {} not what this training began with; restore what was there, or start anew with --out",
          folder_.path(), what);
  };
  require_same(state.data_fingerprint, state_.data_fingerprint, "training data is");
  require_same(state.dev_fingerprint, state_.dev_fingerprint, "dev data is");
  require_same(state.objective_fingerprint, state_.objective_fingerprint, "teachers are");
  load_weights(checkpoint.weights, parameters_);
  load_moments(checkpoint.part("optimiser"), parameters_, adam_);
  state_ = std::move(state);
  stamp_.update = state_.update;
  stamp_.dev = checkpoint.stamp.dev;
  folder_.prune(state_.validated);  // a crash can have come before that

  // A crash between the checkpoint and what follows it left an older model as the best one.
  if (state_.best_update == state_.update && folder_.best() != state_.update)
    folder_.mark_best(state_.update);
  // The folder's weights may be an average, or those of an update off the schedule, where the training ended.
  if (const std::optional<int64_t> best = folder_.best()) {
    const OpenedCheckpoint of_best = folder_.open_checkpoint(*best);
    load_weights(of_best.weights, parameters_);
    folder_.write_weights(weight_views(parameters_), of_best.stamp);
    load_weights(checkpoint.weights, parameters_);
  }
}

void Trainer::write_weights() const {
  folder_.write_weights(weight_views(parameters_), stamp_);
}

void Trainer::one_update(Context& c, const BatchPlan& plan, Progress& progress) {
  const auto index = static_cast<size_t>(state_.update_in_epoch);
  GradientTree tree;
  double loss = 0.0, count = 0.0;
  for (size_t i = 0; i < plan.batches_of(index); ++i) {
    const Batch batch = make_batch(corpus_, plan.batch(plan.first_batch(index) + i));
    const uint64_t key =
        mix64(mix64(mix64(static_cast<uint64_t>(config_.seed)), static_cast<uint64_t>(state_.update)), i);
    LossAndGradients part = loss_and_gradients(c, objective_, parameters_, batch, state_.update + 1, key);
    loss += part.loss;
    count += part.count;
    tree.add(c, std::move(part.gradients));
    progress.tokens += batch.field(batch.has("target") ? "target" : "source").layout.rows();
  }
  const double rate = learning_rate(config_.optimiser, state_.update + 1, planned_updates(plan), width_);
  const double norm = adam_.step(c, tree.sum(c), 1.0 / count, rate, state_.update + 1);
  c.arena.reset();
  if (!(loss / count <= kHopelessLoss) || !std::isfinite(norm)) fail_diverged(plan, loss / count, norm);

  progress.loss += loss;
  progress.count += count;
  progress.norm = norm;
  progress.rate = rate;
  stamp_.update = ++state_.update;
  stamp_.dev.clear();
  if (static_cast<size_t>(++state_.update_in_epoch) >= plan.updates()) {
    state_.update_in_epoch = 0;
    ++state_.epoch;
  }
}

void Trainer::fail_diverged(const BatchPlan& plan, double loss, double norm) const {
  const auto index = static_cast<size_t>(state_.update_in_epoch);
  std::vector<uint64_t> lines;
  for (size_t i = 0; i < plan.batches_of(index); ++i) {
    for (const uint32_t sentence : plan.batch(plan.first_batch(index) + i)) {
      if (lines.size() < 5) lines.push_back(corpus_.numbers[sentence]);
    }
  }
  fail("update {}: training diverged (loss {}, gradient norm {}) on the sentences of lines {}, ...; {}",
       state_.update + 1, loss, norm, fmt::join(lines, ", "), advice_on_divergence());
}

std::string Trainer::advice_on_divergence() const {
  const auto latest = folder_.latest();
  return fmt::format(
      "{}. Start anew with a lower train.learning_rate, a longer train.warmup or "
      "train.clip_norm: 1",
      latest ? fmt::format("the checkpoint of update {} is kept", *latest)
             : "no checkpoint had been written yet");
}

double Trainer::value_of(const Validation& validation) const {
  if (config_.metric == StopMetric::loss) return validation.loss;
  static constexpr const char* kNames[] = {"loss", "bleu", "chrf", "accuracy", "f1", "wer"};
  const std::string name = kNames[static_cast<int>(config_.metric)];
  const auto found = validation.metrics.find(name);
  if (found == validation.metrics.end())
    fail_input("train.metric: this model's validation gives no {}", name);
  return config_.metric == StopMetric::wer ? found->second : -found->second;
}

void Trainer::validate(Context& c, TrainListener& listener, int64_t epoch, bool planned) {
  const auto start = Clock::now();
  const TrainState before = state_;
  ValidationReport report{.update = state_.update, .epoch = epoch, .result = {}, .best = true};
  if (validator_ != nullptr) {
    report.result = validator_->validate(c);
    c.arena.reset();
    if (!std::isfinite(report.result.loss))
      fail("update {}: training diverged (loss on dev {}); {}", state_.update, report.result.loss,
           advice_on_divergence());
    const double value = value_of(report.result);
    stamp_.dev = measures_of(report.result);
    report.best = !state_.best_value || value < *state_.best_value;
    if (report.best) state_.best_value = value;
  }
  if (report.best) state_.best_update = state_.update;
  state_.validations_without_gain = report.best ? 0 : state_.validations_without_gain + 1;
  state_.validated.push_back(state_.update);
  if (static_cast<int64_t>(state_.validated.size()) > config_.average)
    state_.validated.erase(state_.validated.begin());
  report.seconds = seconds_since(start);
  report.trained_seconds = state_.seconds;
  // Told first: what was said of an update must not be missing when its checkpoint is there.
  if (validator_ != nullptr) listener.on_validation(report);
  save(listener, report.best && planned, planned ? state_ : before);
  if (report.best) write_weights();  // the folder can be used from now on
}

void Trainer::save(TrainListener& listener, bool best, const TrainState& state) const {
  listener.on_save();
  folder_.save_checkpoint({.stamp = stamp_,
                           .weights = weight_views(parameters_),
                           .parts = {{"optimiser", moment_views(parameters_, adam_)}},
                           .state = state.to_json()},
                          best, state_.validated);
}

double Trainer::planned_updates(const BatchPlan& plan) const {
  const auto planned = static_cast<double>(config_.updates);
  if (config_.epochs == 0) return planned;
  return std::min(planned, static_cast<double>(config_.epochs) * static_cast<double>(plan.updates()));
}

double Trainer::expected_updates(const TrainLimits& limits, const BatchPlan& plan) const {
  const auto made = static_cast<double>(state_.update);
  double expected = planned_updates(plan);
  if (limits.minutes > 0.0 && made > 0.0) {
    const double left = std::max(0.0, 60.0 * limits.minutes - seconds_since(limits.start));
    expected = std::min(expected, made + left * made / std::max(state_.seconds, 1e-9));
  }
  return std::max(expected, made);
}

std::optional<StopReason> Trainer::reason_to_stop(const TrainLimits& limits) const {
  if (state_.update >= config_.updates) return StopReason::updates;
  if (limits.interrupted && limits.interrupted()) return StopReason::interrupted;
  // At least one update, so that there is a model.
  if (limits.minutes > 0.0 && state_.update > 0 && seconds_since(limits.start) >= 60.0 * limits.minutes)
    return StopReason::time;
  if (config_.epochs > 0 && state_.epoch >= config_.epochs) return StopReason::epochs;
  // Also where a resumed training's last validation found no gain.
  if (config_.patience > 0 && state_.validations_without_gain >= config_.patience)
    return StopReason::patience;
  return std::nullopt;
}

BatchPlan Trainer::plan_of_epoch() const {
  BatchPlan plan(corpus_, config_.batches(), static_cast<uint64_t>(config_.seed),
                 static_cast<uint64_t>(state_.epoch));
  if (state_.update_in_epoch >= static_cast<int64_t>(plan.updates()))
    fail_input("{}: the training's state is damaged: update {} of an epoch of {}", folder_.path(),
               state_.update_in_epoch + 1, plan.updates());
  return plan;
}

StopReason Trainer::run(Context& c, TrainListener& listener, const TrainLimits& limits) {
  const auto start = Clock::now();
  const double seconds_before = state_.seconds;
  int64_t epoch =
      state_.epoch - (state_.update_in_epoch == 0 && state_.update > 0 ? 1 : 0);  // of the last update
  std::optional<BatchPlan> plan;
  Progress progress;
  double reported = seconds_before, saved = seconds_before;
  const auto report = [&] {
    if (progress.count == 0.0) return;
    listener.on_update(
        {.update = state_.update,
         .epoch = epoch,
         .done = static_cast<double>(state_.update) / expected_updates(limits, *plan),
         .loss = progress.loss / progress.count,
         .learning_rate = progress.rate,
         .gradient_norm = progress.norm,
         .target_tokens_per_s = static_cast<double>(progress.tokens) / std::max(progress.seconds, 1e-9),
         .seconds = state_.seconds});
    progress = {};
    reported = state_.seconds;
  };

  std::optional<StopReason> reason;
  while (!(reason = reason_to_stop(limits))) {
    if (!plan || epoch != state_.epoch) plan.emplace(plan_of_epoch());
    epoch = state_.epoch;

    const auto update_start = Clock::now();
    one_update(c, *plan, progress);
    progress.seconds += seconds_since(update_start);
    state_.seconds = seconds_before + seconds_since(start);

    const bool log = state_.update % config_.log_every == 0 || state_.update == 1;
    const bool due = config_.validate_every > 0 ? state_.update % config_.validate_every == 0
                                                : state_.update_in_epoch == 0;
    const bool overdue = config_.save_minutes > 0.0 && state_.seconds - saved >= 60.0 * config_.save_minutes;
    if (log || due || overdue || state_.seconds - reported > 10.0) report();
    if (due) {
      validate(c, listener, epoch, true);
    } else if (overdue) {
      save(listener, false, state_);
    }
    if (due || overdue) saved = seconds_before + seconds_since(start);
  }
  report();
  if (*reason == StopReason::interrupted) {
    if (folder_.latest() != state_.update && state_.update > 0) save(listener, false, state_);
    return *reason;
  }
  const bool validated = !state_.validated.empty() && state_.validated.back() == state_.update;
  if (!validated && state_.update > 0) validate(c, listener, epoch, false);
  finish(c, listener);
  return *reason;
}

void Trainer::finish(Context& c, TrainListener& listener) {
  std::vector<int64_t> updates = state_.validated;
  if (updates.size() < 2 || config_.average < 2) return;
  const std::vector<int64_t> there = folder_.checkpoints();
  std::erase_if(updates,
                [&](int64_t update) { return std::find(there.begin(), there.end(), update) == there.end(); });
  if (updates.size() < state_.validated.size())
    listener.on_message(fmt::format("{} of the last {} checkpoints were removed: {}",
                                    state_.validated.size() - updates.size(), state_.validated.size(),
                                    updates.size() < 2 ? "nothing is averaged" : "the others are averaged"));
  if (updates.size() < 2) return;
  // The average takes the place of the weights, so nothing may train on after this.
  load_average(folder_, updates, parameters_);
  std::string measured;
  bool best = true;
  if (validator_ != nullptr) {
    const Validation result = validator_->validate(c);
    c.arena.reset();
    best = std::isfinite(result.loss) && value_of(result) <= *state_.best_value;
    stamp_.dev = measures_of(result);
    measured = ": " + stamp_.dev_text();
  }
  if (best) write_weights();
  listener.on_message(fmt::format("average of the last {} checkpoints{}; {}", updates.size(), measured,
                                  best ? "kept as the model" : "the best single checkpoint is kept instead"));
}

}  // namespace heed
