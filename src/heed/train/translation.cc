#include "heed/train/translation.h"

#include <cmath>

#include "heed/metrics/metrics.h"

namespace heed {

BatchLoss TranslationObjective::loss(Context& c, const Batch& batch, int64_t update) const {
  const TokenField& target = batch.field("target");
  LossOptions options = options_;
  options.guided_attention = schedule_.guided_attention.at(update);
  options.scheduled_sampling = schedule_.scheduled_sampling.at(update);
  const OutputLoss loss = model_.loss(c, batch.field("source"), target, options);
  return {loss.sum, static_cast<double>(target.layout.rows())};
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
    sum += static_cast<double>(model_.loss(c, batch.field("source"), target, 0.0).sum.value.item());
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
  validation.metrics["bleu"] = corpus_bleu(outputs, data_.dev_target, config_.bleu_tokenize);
  validation.metrics["chrf"] = corpus_chrf(outputs, data_.dev_target);
  if (config_.metric == StopMetric::wer)
    validation.metrics["wer"] = compute_metric("wer", outputs, {data_.dev_target}).score;
  const size_t samples = std::min(outputs.size(), static_cast<size_t>(config_.samples));
  for (size_t i = 0; i < samples; ++i) {
    validation.samples.push_back({data_.dev_source[i], data_.dev_target[i], outputs[i]});
  }
  return validation;
}

}  // namespace heed
