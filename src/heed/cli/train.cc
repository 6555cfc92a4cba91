// heed train
#include <algorithm>
#include <cctype>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <optional>

#include "heed/base/config_keys.h"
#include "heed/base/file.h"
#include "heed/base/progress.h"
#include "heed/base/signal.h"
#include "heed/cli/commands.h"
#include "heed/cli/common.h"
#include "heed/cli/options.h"
#include "heed/tensor/thread_pool.h"
#include "heed/train/training_run.h"

namespace heed::cli {
namespace {

struct TrainOptions {
  std::string out;
  bool resume = false;
  double minutes = 0.0;
  int64_t threads = 0;
  std::vector<std::string> set;

  void visit(ConfigVisitor& v) {
    v("out", out, "the model folder; without it runs/ and the configuration's name");
    v("resume", resume, "go on with the training in the folder");
    v("minutes", minutes, "stop after so long, with a usable model; 0: no limit", between(0, 1e6));
    v("threads", threads, "threads; 0: one a processor; results do not depend on it", between(0, 1024));
    v("set", set, "a.b=value overrides a key of the configuration");
  }
};

// runs/ and the last part of the path, without its ending.
std::string folder_for(const std::string& path) {
  const size_t slash = path.rfind('/');
  std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  if (name.ends_with(".gz")) name.resize(name.size() - 3);
  name.resize(std::min(name.rfind('.'), name.size()));
  if (name.empty() || name == "." || name == "..")
    fail_input("{}: nothing is left of its name without the ending; name the model folder with --out", path);
  return "runs/" + name;
}

class ConsoleListener final : public TrainListener {
 public:
  ConsoleListener() : display_(stderr, is_live_terminal(stderr)) {}

  void on_resume(const TrainState& state) override {
    display_.say(
        fmt::format("going on after update {}, epoch {}", grouped_words(state.update), state.epoch + 1));
    seconds_before_ = state.seconds;
    resumed_ = true;
  }
  void on_message(const std::string& message) override { display_.say(message); }

  void on_update(const UpdateReport& r) override {
    const double here = r.seconds - seconds_before_;
    shown_.seconds = r.seconds;
    shown_.epoch = r.epoch + 1;
    shown_.update = r.update;
    shown_.done = r.done;
    shown_.loss = r.loss;
    shown_.learning_rate = r.learning_rate;
    shown_.tokens_per_second = r.target_tokens_per_s;
    // Resumed, the speed is known from the second report on.
    if (resumed_ && !done_before_) {
      done_before_ = r.done;
      seconds_before_ = r.seconds;
    } else if (r.done > done_before_.value_or(0.0)) {
      shown_.seconds_left = here / (r.done - done_before_.value_or(0.0)) * (1.0 - r.done);
    }
    display_.show(shown_);
  }

  void on_validation(const ValidationReport& r) override {
    std::string metrics;
    for (const auto& [name, value] : r.result.metrics) metrics += fmt::format("  {} {:.2f}", name, value);
    display_.say(fmt::format("update {}  epoch {}  dev loss {:.4f}{}{}", grouped_words(r.update), r.epoch + 1,
                             r.result.loss, metrics, r.best ? "  best so far" : ""));
    shown_.note = fmt::format("dev loss {:.3f}{}", r.result.loss, metrics);
  }

  void finish() { display_.finish(); }

 private:
  ProgressDisplay display_;
  TrainingProgress shown_;
  bool resumed_ = false;
  double seconds_before_ = 0.0;
  std::optional<double> done_before_;
};

// As a shell reads it back.
std::string quoted(const std::string& word) {
  const bool plain = !word.empty() && std::all_of(word.begin(), word.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || std::strchr("._-/=:,+@%", c) != nullptr;
  });
  if (plain) return word;
  std::string out = "'";
  for (const char c : word) out += c == '\'' ? "'\\''" : std::string(1, c);
  return out + "'";
}

std::string command_to_resume(const std::string& path, const std::string& folder,
                              const TrainOptions& options) {
  std::string command = fmt::format("heed train {} --out {} --resume", quoted(path), quoted(folder));
  for (const std::string& setting : options.set) command += " --set " + quoted(setting);
  return command;
}

// The keys of a model that is not the default one.
struct OtherModel {
  OtherModel(ModelType type, const char* help) : help(help) { model.type = type; }
  void visit(ConfigVisitor& v) { v.group("model", model, help); }

  ModelConfig model;
  const char* help;
};

std::string configuration_page() {
  return describe_as_markdown(visit_of(RunConfig())) + "\n" +
         describe_as_markdown(visit_of(OtherModel(ModelType::rnn, "with `type: rnn`"))) + "\n" +
         describe_as_markdown(visit_of(OtherModel(ModelType::rnn_classifier, "with `type: rnn_classifier`")));
}

}  // namespace

int train(Arguments arguments) {
  TrainOptions options;
  std::string path;
  OptionParser parser("heed train", "Trains a model from a configuration into a model folder.");
  parser
      .positional(
          "CONFIG", path,
          "the configuration, a YAML file; or pairs, a .tsv or .tsv.gz, for which the defaults are taken")
      .shorthand('o', "out")
      .bind(options);
  parser.footer(
      "heed train --help GROUP explains the configuration: data, text, model (rnn, rnn_classifier: of "
      "those models), train; heed train --help config all of it.");
  try {
    parser.parse(arguments);
  } catch (const HelpRequested& request) {
    if (request.topic().empty()) throw;
    if (request.topic() == "markdown")  // docs/configuration.md is this
      throw HelpRequested(configuration_page(), request.topic());
    RunConfig config;
    std::string group = request.topic() == "config" ? "" : request.topic();
    if (group == "rnn" || group == "rnn_classifier") {
      config.model.type = group == "rnn" ? ModelType::rnn : ModelType::rnn_classifier;
      group = "model";
    }
    throw HelpRequested(describe(visit_of(config), group), request.topic());
  }

  // Who read what training tells may go away (`heed train ... 2>&1 | head`): that ends no work.
  std::signal(SIGPIPE, SIG_IGN);
  const RunConfig config = read_run_config(path, options.set);
  const std::string folder = options.out.empty() ? folder_for(path) : options.out;
  // Before the first update there is nothing to save, and a signal does what it does anywhere.
  const auto interrupted_now = [watching = false]() mutable {
    if (!watching) watch_interrupts("\nstopping after this update; once more stops at once\n");
    watching = true;
    return interrupted();
  };
  ConsoleListener listener;
  const StopReason reason =
      train_model(config, folder,
                  {.resume = options.resume,
                   .threads = thread_count(options.threads),
                   .limits = {.minutes = options.minutes, .interrupted = interrupted_now}},
                  listener);
  listener.finish();
  if (reason == StopReason::interrupted) {
    const bool saved = ModelFolder::open(folder).latest().has_value();
    throw Interrupted(fmt::format("interrupted {}; go on with: {}",
                                  saved ? "and saved" : "before the first update",
                                  command_to_resume(path, folder, options)));
  }
  static constexpr const char* kReasons[] = {"all updates are done", "all epochs are done",
                                             "no gain on dev for train.patience validations",
                                             "the time is over", ""};
  std::fprintf(stderr, "%s; the model is %s\n", kReasons[static_cast<int>(reason)], folder.c_str());
  return 0;
}

}  // namespace heed::cli
