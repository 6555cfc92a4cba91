#include "heed/cli/bench.h"

#include <sys/resource.h>

#include "heed/base/text_util.h"
#include "heed/checkpoint/model_folder.h"
#include "heed/cli/options.h"
#include "heed/kernels/cpu_level.h"
#include "heed/tensor/thread_pool.h"

namespace heed::cli {

ModelConfig config_of(BenchModel model) {
  ModelConfig config;
  switch (model) {
    case BenchModel::tiny:
      config.transformer.layers = 4;
      config.transformer.width = 128;
      config.transformer.feed_forward = 256;
      config.transformer.heads = 4;
      config.transformer.dropout = 0.3;
      break;
    case BenchModel::base:
      config.transformer.layers = 6;
      config.transformer.width = 512;
      config.transformer.feed_forward = 2048;
      config.transformer.heads = 8;
      break;
    case BenchModel::bahdanau:
    case BenchModel::luong:
      config.type = ModelType::rnn;
      config.rnn.embedding = 128;
      config.rnn.width = 256;
      config.rnn.bidirectional = model == BenchModel::bahdanau;
      config.rnn.attention = model == BenchModel::bahdanau ? RnnAttention::additive : RnnAttention::bilinear;
      config.rnn.attend = model == BenchModel::bahdanau ? AttendWhen::conditional : AttendWhen::after;
      config.rnn.embedding_dropout = config.rnn.output_dropout = 0.3;
      config.rnn.tying = Tying::all;
      break;
    case BenchModel::classifier:
      config.type = ModelType::rnn_classifier;
      config.rnn_classifier.output = ClassOutput::sigmoid;
      break;
  }
  return config;
}

int64_t peak_rss_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

void add_common(JsonWriter& json, BenchModel model, const Context& c) {
  constexpr const char* kNames[] = {"tiny", "base", "bahdanau", "luong", "classifier"};
  json.begin_object().field("engine", fmt::format("heed {}", kHeedVersion));
  json.field("model", kNames[static_cast<int>(model)]).field("precision", name_of(c.precision));
  json.field("processor", kernels::name_of(kernels::cpu_level())).field("threads", c.pool.threads());
}

namespace {

int run_workload(const std::string& what, Arguments arguments) {
  if (what == "train") return bench_train(arguments);
  if (what == "decode") return bench_decode(arguments);
  fail_input("heed bench: unknown workload {}; known: train, decode", in_quotes(what));
}

}  // namespace

int bench(Arguments arguments) {
  if (!arguments.empty() && !arguments[0].starts_with('-'))
    return run_workload(arguments[0], arguments.subspan(1));
  std::string what;
  OptionParser parser("heed bench", "Measures the speed of a fixed workload and prints one JSON line.");
  parser.positional("WHAT", what, "train or decode")
      .footer("heed bench train --help and heed bench decode --help list their options.");
  try {
    parser.parse(arguments);
  } catch (const HelpRequested& request) {
    if (request.topic().empty()) throw;
    const std::string help[] = {"--help"};
    return run_workload(request.topic(), help);
  }
  return run_workload(what, {});
}

}  // namespace heed::cli
