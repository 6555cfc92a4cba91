#include "heed/train/translation.h"

#include <cmath>

#include "heed/metrics/metrics.h"

namespace heed {
namespace {

// Attention summed over heads and sentences: all of it, and what lies near the diagonal.
struct Mass {
  double near = 0.0, all = 0.0;

  // One head of weights [heads, T, S].
  void add(const Tensor& weights, int64_t head, double width) {
    const int64_t queries = weights.shape()[1], keys = weights.shape()[2];
    for (int64_t t = 0; t < queries; ++t) {
      const float* row = weights.row<float>(head * queries + t);
      for (int64_t n = 0; n < keys; ++n) {
        const double apart = static_cast<double>(n) / static_cast<double>(keys) -
                             static_cast<double>(t) / static_cast<double>(queries);
        near += std::abs(apart) <= width ? row[n] : 0.0;
        all += row[n];
      }
    }
  }
};

}  // namespace

BatchLoss TranslationObjective::loss(Context& c, const Batch& batch, int64_t update) const {
  const TokenField& target = batch.field("target");
  LossOptions options = options_;
  options.guided_attention = schedule_.guided_attention.at(update);
  options.scheduled_sampling = schedule_.scheduled_sampling.at(update);
  if (teachers_ != nullptr) {
    options.taught = teachers_->probabilities(c, batch);
    options.taught_share = schedule_.distillation.weight;
  }
  const OutputLoss loss = model_.loss(c, batch.field("source"), target, options);
  return {loss.sum, static_cast<double>(target.layout.rows())};
}

double mass_near_diagonal(Context& c, const EncoderDecoder& model, const Corpus& corpus,
                          const GuidedAttentionConfig& guided) {
  Mass mass;
  bool attends = false;
  const auto sentences =
      std::min<uint32_t>(static_cast<uint32_t>(corpus.size()), static_cast<uint32_t>(guided.measure));
  for (uint32_t i = 0; i < sentences; ++i) {
    const Batch pair = make_batch(corpus, std::span(&i, 1));
    for (const AttentionWeights& seen : model.attention(c, pair.field("source"), pair.field("target"))) {
      if (seen.kind != AttentionKind::source || (guided.layer > 0 && seen.layer + 1 != guided.layer))
        continue;
      for (int64_t head = 0; head < seen.weights.shape()[0]; ++head) {
        if (guided.head > 0 && head + 1 != guided.head) continue;
        attends = true;
        mass.add(seen.weights, head, guided.width);
      }
    }
    c.arena.reset();
  }
  if (!attends && sentences > 0)
    fail_input("train.guided_attention.measure: the model has no such attention to measure; set it to 0");
  return mass.all > 0.0 ? 100.0 * mass.near / mass.all : 0.0;  // monotonic attention may find nothing yet
}

TranslationValidator::TranslationValidator(const EncoderDecoder& model, const ModelText& text,
                                           const TrainingData& data, const TrainConfig& config)
    : model_(model), translator_(model, text), data_(data), config_(config) {
  for (const std::string& target : data.dev_target) references_.push_back(text.target->prepared(target));
}

Validation TranslationValidator::validate(Context& c) const {
  Validation validation;
  double sum = 0.0, count = 0.0;
  BatchOptions batches = config_.batches();
  batches.shuffle = false;
  const BatchPlan plan(data_.dev, batches, 0, 0);
  for (size_t i = 0; i < plan.batches(); ++i) {
    const Batch batch = make_batch(data_.dev, plan.batch(i));
    const TokenField& target = batch.field("target");
    sum += static_cast<double>(model_.loss(c, batch.field("source"), target, LossOptions{}).sum.value.item());
    count += static_cast<double>(target.layout.rows());
    c.arena.reset();
  }
  validation.loss = sum / count;
  if (!std::isfinite(validation.loss)) return validation;  // no words come out of such a model

  TranslateOptions greedy;
  greedy.search.beam = 1;
  const std::vector<Translation> translations = translator_.translate(c, data_.dev_source, greedy);
  std::vector<std::string> outputs;
  for (const Translation& translation : translations) outputs.push_back(translation.text());
  validation.metrics["bleu"] = corpus_bleu(outputs, references_, config_.bleu_tokenize);
  validation.metrics["chrf"] = corpus_chrf(outputs, references_);
  if (config_.metric == StopMetric::wer)
    validation.metrics["wer"] = compute_metric("wer", outputs, {references_}).score;
  const GuidedAttentionConfig& guided = config_.loss_schedule.guided_attention;
  if (guided.measure > 0) validation.metrics["diagonal"] = mass_near_diagonal(c, model_, data_.dev, guided);
  const size_t samples = std::min(outputs.size(), static_cast<size_t>(config_.samples));
  for (size_t i = 0; i < samples; ++i) {
    validation.samples.push_back({data_.dev_source[i], data_.dev_target[i], outputs[i]});
  }
  return validation;
}

}  // namespace heed
