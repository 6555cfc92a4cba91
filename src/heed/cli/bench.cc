// heed bench: fixed workloads, one JSON line each, to be run beside a rival's.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cmath>

#include "heed/base/file.h"
#include "heed/base/json.h"
#include "heed/cli/bench_classifier.h"
#include "heed/cli/commands.h"
#include "heed/cli/common.h"
#include "heed/cli/options.h"
#include "heed/data/corpus_reader.h"
#include "heed/kernels/cpu_level.h"
#include "heed/tensor/thread_pool.h"
#include "heed/train/step.h"
#include "heed/train/translation.h"

namespace heed::cli {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

int64_t peak_rss_mb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss / 1024;
}

enum class BenchModel { tiny, base, bahdanau, luong, classifier };
constexpr const char* kModelNames[] = {"tiny", "base", "bahdanau", "luong", "classifier"};

struct BenchOptions {
  BenchModel model = BenchModel::tiny;
  RuntimeOptions runtime;
  std::string data;
  int64_t updates = 60;
  int64_t skip = 8;
  int64_t tokens = 0;
  int64_t vocabulary = 0;
  double learning_rate = 0.0;
  int64_t warmup = 2000;
  int64_t validate_every = 0;
  int64_t seed = 1;
  int64_t batch = 32;
  int64_t beam = 4;
  int64_t source = 25;
  int64_t steps = 25;
  int64_t sentences = 128;
  int64_t runs = 3;
  bool profile = false;

  void visit(ConfigVisitor& v) {
    v("model", model, {"tiny", "base", "bahdanau", "luong", "classifier"},
      "Transformers of 4+4 layers, 128/256, 4 heads, or 6+6, 512/2048, 8 heads; recurrent models of 128/256: "
      "conditional GRU with additive attention, or Luong's with bilinear attention; or train: the recurrent "
      "classifier");
    runtime.visit(v);
    v("data", data,
      "train: folder with train.{en,de} and valid.{en,de}, plain or .gz, already in subwords; of the "
      "classifier with train.tsv or train.tsv.gz, label and text");
    v("updates", updates, "train: updates", at_least(1));
    v("skip", skip, "train: updates before the clock starts", at_least(0));
    v("tokens", tokens,
      "train: tokens a batch of a Transformer, padding counted; 0: 4096 for tiny, 2048 for base",
      at_least(0));
    v("vocabulary", vocabulary, "train: words, at least; 0: the data's, 32000 for base", at_least(0));
    v("learning_rate", learning_rate, "train: highest learning rate; 0: 5e-3, 4e-4 for recurrent models",
      at_least(0));
    v("warmup", warmup, "train: updates of warm-up of a Transformer", at_least(1));
    v("validate_every", validate_every, "train: also print the validation loss; 0: never", at_least(0));
    v("seed", seed, "train: of initialisation, order and dropout", at_least(0));
    v("profile", profile, "also print what each op took, on standard error");
    v("batch", batch, "decode: sentences at once; train: of a recurrent model", at_least(1));
    v("beam", beam, "decode: beam", at_least(1));
    v("source", source, "decode: source tokens of a sentence", at_least(1));
    v("steps", steps, "decode: output tokens of a sentence", at_least(1));
    v("sentences", sentences, "decode: sentences in all", at_least(1));
    v("runs", runs, "decode: runs, of which the median is told", at_least(1));
  }
};

bool is_recurrent(BenchModel model) {
  return model == BenchModel::bahdanau || model == BenchModel::luong;
}

ModelConfig config_of(BenchModel model) {
  ModelConfig config;
  if (model == BenchModel::tiny) {
    config.transformer.layers = 4;
    config.transformer.width = 128;
    config.transformer.feed_forward = 256;
    config.transformer.heads = 4;
    config.transformer.dropout = 0.3;
  }
  if (model == BenchModel::base) {
    config.transformer.layers = 6;
    config.transformer.width = 512;
    config.transformer.feed_forward = 2048;
    config.transformer.heads = 8;
  }
  if (is_recurrent(model)) {
    config.type = ModelType::rnn;
    config.rnn.embedding = 128;
    config.rnn.width = 256;
    config.rnn.bidirectional = model == BenchModel::bahdanau;
    config.rnn.attention = model == BenchModel::bahdanau ? RnnAttention::additive : RnnAttention::bilinear;
    config.rnn.attend = model == BenchModel::bahdanau ? AttendWhen::conditional : AttendWhen::after;
    config.rnn.embedding_dropout = config.rnn.output_dropout = 0.3;
    config.rnn.tying = Tying::all;
  }
  return config;
}

TrainConfig training_of(const BenchOptions& options) {
  TrainConfig config;
  config.seed = options.seed;
  config.optimiser.learning_rate = options.learning_rate;
  if (is_recurrent(options.model)) {
    if (options.learning_rate == 0.0) config.optimiser.learning_rate = 4e-4;
    config.optimiser.schedule = Schedule::constant;
    config.optimiser.warmup = 0;
    config.optimiser.beta2 = 0.999;
    config.optimiser.epsilon = 1e-8;
    config.optimiser.clip_norm = 5.0;
    config.label_smoothing = 0.0;
    config.batch_by = BatchSize::kSentences;
    config.batch_sentences = options.batch;
  } else {
    if (options.learning_rate == 0.0) config.optimiser.learning_rate = 5e-3;
    config.optimiser.warmup = options.warmup;
    config.batch_tokens = options.tokens > 0                  ? options.tokens
                          : options.model == BenchModel::tiny ? 4096
                                                              : 2048;
  }
  return config;
}

void add_common(JsonWriter& json, const BenchOptions& options, const Context& c) {
  json.begin_object().field("engine", fmt::format("heed {}", kHeedVersion));
  json.field("model", kModelNames[static_cast<int>(options.model)]);
  json.field("precision", name_of(c.precision)).field("processor", kernels::name_of(kernels::cpu_level()));
  json.field("threads", c.pool.threads());
}

std::string data_file(const std::string& folder, const std::string& name) {
  const std::string plain = folder + "/" + name;
  return file_exists(plain) ? plain : plain + ".gz";
}

int bench_train(const BenchOptions& options) {
  if (options.data.empty())
    fail_input("heed bench train needs --data, a folder with train.en, train.de and valid.*");
  RunConfig config;
  config.data.train = {.source = data_file(options.data, "train.en"),
                       .target = data_file(options.data, "train.de")};
  config.data.dev = {.source = data_file(options.data, "valid.en"),
                     .target = data_file(options.data, "valid.de")};
  config.text.kind = TextKind::kWords;
  config.model = config_of(options.model);
  config.train = training_of(options);
  const ModelText text = ModelText::build(config.text, open_sentences(config.data.train), options.data);
  const TrainingData data = read_training_data(config.data, text);
  const int64_t padded = (text.source->vocabulary().size() + 7) / 8 * 8;
  const int64_t at_least = options.model == BenchModel::base ? 32000 : 0;
  const int64_t words = std::max(padded, options.vocabulary > 0 ? options.vocabulary : at_least);

  Context c(thread_count(options.runtime.threads), [&] {
    config.precision = options.runtime.precision;
    return config.activations();
  }());
  const auto made = make_encoder_decoder(config.model, words, words, static_cast<uint64_t>(options.seed));
  EncoderDecoder& model = *made;
  const TranslationObjective objective(model, config.train.label_smoothing);
  Adam adam(config.train.optimiser, model.parameters());

  Profile profile;
  int64_t update = 0, seen = 0, sentences = 0;
  double spent = 0.0, loss_per_token = 0.0;
  std::vector<std::pair<int64_t, double>> curve;
  for (uint64_t epoch = 0; update < options.updates; ++epoch) {
    const BatchPlan plan(data.train, config.train.batches(), static_cast<uint64_t>(options.seed), epoch);
    for (size_t i = 0; i < plan.batches() && update < options.updates; ++i) {
      const Batch batch = make_batch(data.train, plan.batch(i));
      const auto start = Clock::now();
      ++update;
      if (options.profile && update > options.skip) c.profile = &profile;
      const uint64_t key = mix64(static_cast<uint64_t>(options.seed), static_cast<uint64_t>(update));
      const LossAndGradients step = loss_and_gradients(c, objective, model.parameters(), batch, update, key);
      adam.step(c, step.gradients, 1.0 / step.count,
                learning_rate(config.train.optimiser, update, options.updates, config.model.width()), update);
      loss_per_token = step.loss / step.count;
      c.arena.reset();
      if (update > options.skip) {
        spent += seconds_since(start);
        seen += static_cast<int64_t>(step.count);
        sentences += batch.sentences();
      }
      if (options.validate_every > 0 && update % options.validate_every == 0) {
        Context plain(c.pool.threads(), c.precision);
        double sum = 0.0, count = 0.0;
        BatchOptions in_order = config.train.batches();
        in_order.shuffle = false;
        const BatchPlan dev(data.dev, in_order, 0, 0);
        for (size_t b = 0; b < dev.batches(); ++b) {
          const Batch dev_batch = make_batch(data.dev, dev.batch(b));
          sum +=
              model.loss(plain, dev_batch.field("source"), dev_batch.field("target"), 0.0).sum.value.item();
          count += static_cast<double>(dev_batch.field("target").layout.rows());
          plain.arena.reset();
        }
        curve.emplace_back(update, sum / count);
        std::fprintf(stderr, "update %lld  validation loss %.4f\n", static_cast<long long>(update),
                     sum / count);
      }
    }
  }

  if (options.profile) std::fputs(profile.table().c_str(), stderr);
  JsonWriter json;
  add_common(json, options, c);
  if (is_recurrent(options.model)) json.field("batch", options.batch);
  json.field("parameters", model.parameters().count()).field("vocabulary", words).field("updates", update);
  json.field("target_tokens_per_s", static_cast<double>(seen) / std::max(spent, 1e-9))
      .field("sentences_per_s", static_cast<double>(sentences) / std::max(spent, 1e-9))
      .field("loss", loss_per_token);
  json.field("peak_rss_mb", peak_rss_mb()).key("curve").begin_array();
  for (const auto& [at, loss] : curve) json.begin_array().value(at).value(loss).end_array();
  std::puts(json.end_array().end_object().text().c_str());
  return 0;
}

int bench_decode(const BenchOptions& options) {
  RunConfig config;
  config.precision = options.runtime.precision;
  Context c(thread_count(options.runtime.threads), config.activations());
  const int64_t words = options.vocabulary > 0              ? options.vocabulary
                        : options.model == BenchModel::base ? 32000
                                                            : 9712;
  const auto model =
      make_encoder_decoder(config_of(options.model), words, words, static_cast<uint64_t>(options.seed));
  const auto decoder = model->step_decoder();
  std::vector<std::vector<int32_t>> sources(static_cast<size_t>(options.sentences));
  for (size_t i = 0; i < sources.size(); ++i) {
    for (int64_t t = 0; t < options.source; ++t) {
      const uint64_t at = i * static_cast<uint64_t>(options.source) + static_cast<uint64_t>(t);
      sources[i].push_back(static_cast<int32_t>(3 + uniform_below(1, at, static_cast<uint64_t>(words - 3))));
    }
    sources[i].push_back(kEndToken);
  }
  SearchOptions search_options;
  search_options.beam = options.beam;
  search_options.min_length = search_options.max_length = options.steps;
  const auto batch_from = [&](size_t begin) {
    const size_t end = std::min(begin + static_cast<size_t>(options.batch), sources.size());
    return make_field(std::span(sources).subspan(begin, end - begin));
  };
  const auto decode = [&](size_t begin) {
    int64_t tokens = 0;
    for (const auto& best : search(c, *decoder, batch_from(begin), search_options))
      tokens += static_cast<int64_t>(best.front().ids.size());
    return tokens;
  };
  // Teacher forcing as in training, dropout included, without its gradient; a target as long as the output.
  std::vector<std::vector<int32_t>> references(sources);
  for (auto& reference : references) {
    reference.resize(static_cast<size_t>(options.steps), kUnknownToken);
    reference.back() = kEndToken;
  }
  const auto forward = [&](size_t begin) {
    const TokenField source = batch_from(begin);
    const TokenField target =
        make_field(std::span(references).subspan(begin, static_cast<size_t>(source.layout.sentences())));
    c.training = true;
    model->loss(c, source, target, LossOptions{});
    c.training = false;
    c.arena.reset();
    return target.layout.rows();
  };
  // Tokens a second, the median of the runs.
  const auto rate_of = [&](const auto& work) {
    work(0);  // packs the weights
    std::vector<double> rates;
    for (int64_t run = 0; run < options.runs; ++run) {
      const auto start = Clock::now();
      int64_t tokens = 0;
      for (size_t begin = 0; begin < sources.size(); begin += static_cast<size_t>(options.batch))
        tokens += work(begin);
      rates.push_back(static_cast<double>(tokens) / seconds_since(start));
    }
    std::sort(rates.begin(), rates.end());
    return rates[rates.size() / 2];
  };
  const double trained = rate_of(forward);
  Profile profile;
  if (options.profile) c.profile = &profile;
  const double median = rate_of(decode);
  if (options.profile) std::fputs(profile.table().c_str(), stderr);
  const double hypotheses = median * static_cast<double>(options.beam);
  JsonWriter json;
  add_common(json, options, c);
  json.field("batch", options.batch).field("beam", options.beam).field("source", options.source);
  json.field("steps", options.steps).field("output_tokens_per_s", median);
  json.field("ms_a_batch", 1000.0 * static_cast<double>(options.batch * options.steps) / median);
  json.field("hypothesis_tokens_per_s", hypotheses).field("forward_tokens_per_s", trained);
  json.field("ratio_to_forward", hypotheses / trained);
  json.field("peak_rss_mb", peak_rss_mb()).end_object();
  std::puts(json.text().c_str());
  return 0;
}

}  // namespace

int bench(Arguments arguments) {
  BenchOptions options;
  std::string what;
  OptionParser parser("heed bench", "Measures the speed of a fixed workload and prints one JSON line.");
  parser.positional("WHAT", what, "train or decode").bind(options);
  parser.parse(arguments);
  if (what == "train" && options.skip >= options.updates)
    fail_input("heed bench train: the clock starts after --skip {} updates, but --updates is {}; raise it",
               options.skip, options.updates);
  const bool classifier = options.model == BenchModel::classifier;
  if (what == "train" && classifier)
    return bench_classifier(
        {options.data, options.updates, options.skip, options.seed, options.runtime, options.profile});
  if (what == "decode" && classifier) fail_input("heed bench decode: a classifier does not decode");
  if (what == "train") return bench_train(options);
  if (what == "decode") return bench_decode(options);
  fail_input("heed bench: unknown workload {}; known: train, decode", what);
}

}  // namespace heed::cli
