// heed bench train: so many updates of a fixed model on given data, as a rival's script does them.
#include <algorithm>
#include <functional>

#include "heed/base/file.h"
#include "heed/base/random.h"
#include "heed/cli/bench.h"
#include "heed/cli/common.h"
#include "heed/cli/options.h"
#include "heed/data/corpus_reader.h"
#include "heed/tensor/thread_pool.h"
#include "heed/train/classification.h"
#include "heed/train/step.h"
#include "heed/train/translation.h"

namespace heed::cli {
namespace {

struct TrainOptions {
  BenchModel model = BenchModel::tiny;
  RuntimeOptions runtime;
  std::string data;
  int64_t updates = 60;
  int64_t skip = -1;
  int64_t tokens = 0;
  int64_t batch = 32;
  int64_t vocabulary = 0;
  double learning_rate = 0.0;
  int64_t warmup = 2000;
  int64_t validate_every = 0;
  int64_t seed = 1;
  bool profile = false;

  void visit(ConfigVisitor& v) {
    v("model", model, {"tiny", "base", "bahdanau", "luong", "classifier"},
      "Transformers of 4+4 layers, 128/256, 4 heads, or 6+6, 512/2048, 8 heads; recurrent models of 128/256: "
      "conditional GRU with additive attention, or Luong's with bilinear attention; the recurrent classifier "
      "with its published settings");
    runtime.visit(v);
    v("data", data,
      "folder with train.{en,de} and valid.{en,de}, plain or .gz, already in subwords; of the classifier "
      "with "
      "train.tsv or train.tsv.gz, label and text");
    v("updates", updates, "updates", at_least(1));
    v("skip", skip, "updates before the clock starts; -1: 8, or half of fewer than 16", at_least(-1));
    v("tokens", tokens, "tokens a batch of a Transformer, padding counted; 0: 4096 for tiny, 2048 for base",
      at_least(0));
    v("batch", batch, "sentences a batch of a recurrent model that translates", at_least(1));
    v("vocabulary", vocabulary, "words of a translator, at least; 0: the data's, 32000 for base",
      between(0, 1e6));
    v("learning_rate", learning_rate,
      "highest learning rate; 0: 5e-3, 4e-4 for recurrent models, 1e-3 for the classifier", at_least(0));
    v("warmup", warmup, "updates of warm-up of a Transformer", at_least(1));
    v("validate_every", validate_every, "also print a translator's validation loss; 0: never", at_least(0));
    v("seed", seed, "of initialisation, order and dropout", at_least(0));
    v("profile", profile, "also print what each op took, on standard error");
  }
};

bool is_transformer(BenchModel model) {
  return model == BenchModel::tiny || model == BenchModel::base;
}

// Options that this model's workload does not read.
void refuse_unread(const OptionParser& parser, BenchModel model) {
  const bool classifier = model == BenchModel::classifier;
  const std::pair<const char*, bool> reads[] = {{"tokens", is_transformer(model)},
                                                {"warmup", is_transformer(model)},
                                                {"batch", !is_transformer(model) && !classifier},
                                                {"vocabulary", !classifier},
                                                {"validate_every", !classifier}};
  for (const auto& [key, is_read] : reads)
    if (parser.given(key) && !is_read)
      fail_input("heed bench train: --{} does nothing with this --model; leave it out", option_name(key));
}

std::string plain_or_gz(const std::string& path) {
  return file_exists(path) ? path : path + ".gz";
}

RunConfig translator_config(const TrainOptions& options) {
  RunConfig config;
  config.data.train = {.source = plain_or_gz(options.data + "/train.en"),
                       .target = plain_or_gz(options.data + "/train.de")};
  config.data.dev = {.source = plain_or_gz(options.data + "/valid.en"),
                     .target = plain_or_gz(options.data + "/valid.de")};
  config.text.kind = TextKind::kWords;
  TrainConfig& train = config.train;
  if (is_transformer(options.model)) {
    train.optimiser.learning_rate = 5e-3;
    train.optimiser.warmup = options.warmup;
    train.batch_tokens = options.tokens > 0                  ? options.tokens
                         : options.model == BenchModel::tiny ? 4096
                                                             : 2048;
  } else {
    train.optimiser.learning_rate = 4e-4;
    train.optimiser.schedule = Schedule::constant;
    train.optimiser.warmup = 0;
    train.optimiser.beta2 = 0.999;
    train.optimiser.epsilon = 1e-8;
    train.optimiser.clip_norm = 5.0;
    train.label_smoothing = 0.0;
    train.batch_by = BatchSize::kSentences;
    train.batch_sentences = options.batch;
  }
  return config;
}

// 10,000 words, the first 250 of a review, 256 reviews a batch, gradients clipped to 5 (recipes/sentiment).
RunConfig classifier_config(const TrainOptions& options) {
  RunConfig config;
  config.data.train.tsv = plain_or_gz(options.data + "/train.tsv");
  config.data.train.columns = {"label", "source"};
  config.data.held_out = 0;
  config.data.max_source_length = 251;
  config.data.longer = LongSentences::kCut;
  config.text.kind = TextKind::kWords;
  config.text.target_kind = TargetKind::kLabel;
  config.text.punctuation = Punctuation::kDrop;
  config.text.lowercase = true;
  config.text.vocabulary = 10000;
  config.train.optimiser.learning_rate = 1e-3;
  config.train.optimiser.schedule = Schedule::constant;
  config.train.optimiser.warmup = 0;
  config.train.optimiser.clip_norm = 5.0;
  config.train.batch_by = BatchSize::kSentences;
  config.train.batch_sentences = 256;
  config.train.sort_by_length = false;
  return config;
}

struct Workload {
  const TrainOptions& options;
  const RunConfig& config;
  const Objective& objective;
  ParameterStore& parameters;
  const TrainingData& data;
  const char* counted;  // the field whose tokens are told
};

struct Timed {
  int64_t updates = 0, tokens = 0, sentences = 0;  // tokens and sentences of the updates on the clock
  double seconds = 0.0;
  double loss = 0.0;  // of the last update

  double tokens_per_second() const { return static_cast<double>(tokens) / std::max(seconds, 1e-9); }
  double sentences_per_second() const { return static_cast<double>(sentences) / std::max(seconds, 1e-9); }
};

// Trains; the clock stands still during the first updates, between batches and during after_update(update).
Timed run_updates(Context& c, const Workload& work, const std::function<void(int64_t update)>& after_update) {
  const TrainOptions& options = work.options;
  const auto seed = static_cast<uint64_t>(options.seed);
  Adam adam(work.config.train.optimiser, work.parameters);
  Profile profile;
  Timed timed;
  for (uint64_t epoch = 0; timed.updates < options.updates; ++epoch) {
    const BatchPlan plan(work.data.train, work.config.train.batches(), seed, epoch);
    for (size_t i = 0; i < plan.batches() && timed.updates < options.updates; ++i) {
      const Batch batch = make_batch(work.data.train, plan.batch(i));
      const Stopwatch watch;
      const int64_t update = ++timed.updates;
      const bool counts = update > options.skip;
      if (options.profile && counts) c.profile = &profile;
      const LossAndGradients step = loss_and_gradients(c, work.objective, work.parameters, batch, update,
                                                       mix64(seed, static_cast<uint64_t>(update)));
      adam.step(
          c, step.gradients, 1.0 / step.count,
          learning_rate(work.config.train.optimiser, update, options.updates, work.config.model.width()),
          update);
      timed.loss = step.loss / step.count;
      c.arena.reset();
      if (counts) {
        timed.seconds += watch.seconds();
        timed.tokens += batch.field(work.counted).layout.rows();
        timed.sentences += batch.sentences();
      }
      after_update(update);
    }
  }
  if (options.profile) std::fputs(profile.table().c_str(), stderr);
  return timed;
}

// Nats a token, without smoothing.
double validation_loss(const Context& training, const EncoderDecoder& model, const Corpus& dev,
                       BatchOptions batches) {
  Context c(training.pool.threads(), training.precision);
  batches.shuffle = false;
  const BatchPlan plan(dev, batches, 0, 0);
  double sum = 0.0, count = 0.0;
  for (size_t i = 0; i < plan.batches(); ++i) {
    const Batch batch = make_batch(dev, plan.batch(i));
    sum += model.loss(c, batch.field("source"), batch.field("target"), LossOptions{}).sum.value.item();
    count += static_cast<double>(batch.field("target").layout.rows());
    c.arena.reset();
  }
  return sum / count;
}

void end_line(JsonWriter& json, const Timed& timed) {
  json.field("updates", timed.updates).field("target_tokens_per_s", timed.tokens_per_second());
  json.field("sentences_per_s", timed.sentences_per_second()).field("loss", timed.loss);
  json.field("peak_rss_mb", peak_rss_mb());
}

void bench_translator(Context& c, const RunConfig& config, const TrainOptions& options) {
  const ModelText text = ModelText::build(config.text, open_sentences(config.data.train), options.data);
  const TrainingData data = read_training_data(config.data, text);
  const int64_t padded = (text.source->vocabulary().size() + 7) / 8 * 8;
  const int64_t least = options.vocabulary > 0              ? options.vocabulary
                        : options.model == BenchModel::base ? 32000
                                                            : 0;
  const int64_t words = std::max(padded, least);
  const auto model = make_encoder_decoder(config.model, words, words, static_cast<uint64_t>(options.seed));
  const TranslationObjective objective(*model, {.smoothing = config.train.label_smoothing});

  std::vector<std::pair<int64_t, double>> curve;
  const Timed timed =
      run_updates(c, {options, config, objective, model->parameters(), data, "target"}, [&](int64_t update) {
        if (options.validate_every == 0 || update % options.validate_every != 0) return;
        curve.emplace_back(update, validation_loss(c, *model, data.dev, config.train.batches()));
        std::fputs(fmt::format("update {}  validation loss {:.4f}\n", update, curve.back().second).c_str(),
                   stderr);
      });

  JsonWriter json;
  add_common(json, options.model, c);
  if (config.train.batch_by == BatchSize::kSentences) json.field("batch", options.batch);
  json.field("parameters", model->parameters().count()).field("vocabulary", words);
  end_line(json, timed);
  json.key("curve").begin_array();
  for (const auto& [update, loss] : curve) json.begin_array().value(update).value(loss).end_array();
  std::puts(json.end_array().end_object().text().c_str());
}

void bench_classifier(Context& c, const RunConfig& config, const TrainOptions& options) {
  const ModelText text = ModelText::build(config.text, open_sentences(config.data.train), options.data);
  const TrainingData data = read_training_data(config.data, text);
  const auto model = make_classifier(config.model, text.source->vocabulary().size(), text.labels.size(),
                                     static_cast<uint64_t>(options.seed));
  const ClassificationObjective objective(*model, LossOptions{});
  const Timed timed =
      run_updates(c, {options, config, objective, model->parameters(), data, "source"}, [](int64_t) {});

  JsonWriter json;
  add_common(json, options.model, c);
  json.field("batch", config.train.batch_sentences).field("parameters", model->parameters().count());
  end_line(json, timed);
  std::puts(json.end_object().text().c_str());
}

}  // namespace

int bench_train(Arguments arguments) {
  TrainOptions options;
  OptionParser parser("heed bench train", "Measures the speed of training and prints one JSON line.");
  parser.bind(options).parse(arguments);
  refuse_unread(parser, options.model);
  const bool classifier = options.model == BenchModel::classifier;
  if (options.skip < 0) options.skip = std::min<int64_t>(8, options.updates / 2);
  if (options.skip >= options.updates)
    fail_input("heed bench train: the clock starts after --skip {} updates, but --updates is {}; raise it",
               options.skip, options.updates);
  if (options.data.empty())
    fail_input("heed bench train needs --data, a folder with {}",
               classifier ? "train.tsv: label and review" : "train.en, train.de and valid.*");

  RunConfig config = classifier ? classifier_config(options) : translator_config(options);
  config.model = config_of(options.model);
  config.precision = options.runtime.precision;
  if (options.learning_rate > 0.0) config.train.optimiser.learning_rate = options.learning_rate;
  Context c(thread_count(options.runtime.threads), config.activations());
  if (classifier) {
    bench_classifier(c, config, options);
  } else {
    bench_translator(c, config, options);
  }
  return 0;
}

}  // namespace heed::cli
