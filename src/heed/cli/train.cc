// heed train
#include <csignal>
#include <cstdio>

#include "heed/cli/commands.h"
#include "heed/cli/common.h"
#include "heed/cli/options.h"
#include "heed/train/event_log.h"
#include "heed/train/training_run.h"

namespace heed::cli {
namespace {

volatile std::sig_atomic_t interrupted = 0;

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
    v("threads", threads, "threads; 0: as many as the machine has; results do not depend on it",
      between(0, 1024));
    v("set", set, "a.b=value overrides a key of the configuration");
  }
};

// The last part of a path, without its ending.
std::string stem(const std::string& path) {
  const size_t slash = path.rfind('/');
  std::string name = slash == std::string::npos ? path : path.substr(slash + 1);
  return name.substr(0, name.rfind('.'));
}

class ConsoleListener final : public TrainListener {
 public:
  void on_message(const std::string& message) override { std::fprintf(stderr, "%s\n", message.c_str()); }
  void on_update(const UpdateReport& r) override {
    std::fprintf(stderr, "epoch %lld  update %lld  loss %.3f  rate %.2e  %.0f tokens/s\n",
                 static_cast<long long>(r.epoch + 1), static_cast<long long>(r.update), r.loss,
                 r.learning_rate, r.target_tokens_per_s);
  }
  void on_validation(const ValidationReport& r) override {
    std::string metrics;
    for (const auto& [name, value] : r.result.metrics) metrics += fmt::format("  {} {:.2f}", name, value);
    std::fprintf(stderr, "update %lld  dev loss %.4f%s%s  (%.1f s)\n", static_cast<long long>(r.update),
                 r.result.loss, metrics.c_str(), r.best ? "  best so far" : "", r.seconds);
  }
};

}  // namespace

int train(Arguments arguments) {
  TrainOptions options;
  std::string path;
  OptionParser parser("heed train", "Trains a model from a configuration into a model folder.");
  parser.positional("CONFIG", path, "the configuration, a YAML file").shorthand('o', "out").bind(options);
  parser.parse(arguments);

  const RunConfig config = read_run_config(path, options.set);
  const std::string folder = options.out.empty() ? "runs/" + stem(path) : options.out;
  std::signal(SIGINT, [](int) { interrupted = 1; });
  ConsoleListener listener;
  const StopReason reason =
      train_model(config, folder,
                  {.resume = options.resume,
                   .threads = thread_count(options.threads),
                   .limits = {.minutes = options.minutes, .interrupted = [] { return interrupted != 0; }}},
                  listener);
  if (reason == StopReason::interrupted) {
    throw Interrupted(
        fmt::format("interrupted and saved; go on with: heed train {} --out {} --resume", path, folder));
  }
  return 0;
}

}  // namespace heed::cli
