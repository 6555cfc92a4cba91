#include "heed/cli/bench_classifier.h"

#include <sys/resource.h>

#include <algorithm>
#include <chrono>

#include "heed/base/file.h"
#include "heed/base/json.h"
#include "heed/data/corpus_reader.h"
#include "heed/kernels/cpu_level.h"
#include "heed/tensor/thread_pool.h"
#include "heed/train/classification.h"
#include "heed/train/step.h"

namespace heed::cli {
namespace {

using Clock = std::chrono::steady_clock;

// 10,000 words, the first 250 of a review, 256 reviews a batch, Adam at 1e-3, gradients clipped to 5.
RunConfig settings_of(const ClassifierBench& bench) {
  RunConfig config;
  const std::string plain = bench.data + "/train.tsv";
  config.data.train.tsv = file_exists(plain) ? plain : plain + ".gz";
  config.data.train.columns = {"label", "source"};
  config.data.held_out = 0;
  config.data.max_source_length = 251;
  config.data.longer = LongSentences::kCut;
  config.text.kind = TextKind::kWords;
  config.text.target_kind = TargetKind::kLabel;
  config.text.punctuation = Punctuation::kDrop;
  config.text.lowercase = true;
  config.text.vocabulary = 10000;
  config.model.type = ModelType::rnn_classifier;
  config.model.rnn_classifier.output = ClassOutput::sigmoid;
  config.train.batch_by = BatchSize::kSentences;
  config.train.batch_sentences = 256;
  config.train.sort_by_length = false;
  config.train.optimiser.clip_norm = 5.0;
  config.precision = bench.runtime.precision;
  return config;
}

}  // namespace

int bench_classifier(const ClassifierBench& bench) {
  if (bench.data.empty())
    fail_input("heed bench train --model classifier needs --data, a folder with train.tsv: label and review");
  const RunConfig config = settings_of(bench);
  const auto seed = static_cast<uint64_t>(bench.seed);
  const ModelText text = ModelText::build(config.text, open_sentences(config.data.train), bench.data);
  const TrainingData data = read_training_data(config.data, text);
  Context c(thread_count(bench.runtime.threads), config.activations());
  const std::unique_ptr<Classifier> model =
      make_classifier(config.model, text.source->vocabulary().size(), text.labels.size(), seed);
  const ClassificationObjective objective(*model, 0.0);
  Adam adam(config.train.optimiser, model->parameters());

  Profile profile;
  int64_t update = 0, sentences = 0, tokens = 0;
  double spent = 0.0, mean_loss = 0.0;
  for (uint64_t epoch = 0; update < bench.updates; ++epoch) {
    const BatchPlan plan(data.train, config.train.batches(), seed, epoch);
    for (size_t i = 0; i < plan.batches() && update < bench.updates; ++i) {
      const Batch batch = make_batch(data.train, plan.batch(i));
      const auto start = Clock::now();
      ++update;
      if (bench.profile && update > bench.skip) c.profile = &profile;
      const LossAndGradients step = loss_and_gradients(c, objective, model->parameters(), batch, update,
                                                       mix64(seed, static_cast<uint64_t>(update)));
      mean_loss = step.loss / step.count;
      adam.step(c, step.gradients, 1.0 / step.count, 1e-3, update);
      c.arena.reset();
      if (update <= bench.skip) continue;
      spent += std::chrono::duration<double>(Clock::now() - start).count();
      sentences += batch.sentences();
      tokens += batch.field("source").layout.rows();
    }
  }

  if (bench.profile) std::fputs(profile.table().c_str(), stderr);
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const double seconds = std::max(spent, 1e-9);
  JsonWriter json;
  json.begin_object().field("engine", fmt::format("heed {}", kHeedVersion)).field("model", "classifier");
  json.field("precision", name_of(c.precision)).field("processor", kernels::name_of(kernels::cpu_level()));
  json.field("threads", c.pool.threads())
      .field("batch", config.train.batch_sentences)
      .field("updates", update);
  json.field("parameters", model->parameters().count());
  json.field("target_tokens_per_s", static_cast<double>(tokens) / seconds);
  json.field("sentences_per_s", static_cast<double>(sentences) / seconds).field("loss", mean_loss);
  json.field("peak_rss_mb", usage.ru_maxrss / 1024).end_object();
  std::puts(json.text().c_str());
  return 0;
}

}  // namespace heed::cli
