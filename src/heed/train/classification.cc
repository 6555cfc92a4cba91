#include "heed/train/classification.h"

#include <algorithm>
#include <cmath>

#include "heed/metrics/metrics.h"

namespace heed {

BatchLoss ClassificationObjective::loss(Context& c, const Batch& batch, int64_t /*update*/) const {
  const std::vector<int32_t>& classes = batch.field("label").ids;
  return {model_.loss(c, batch.field("source"), classes, options_).sum, static_cast<double>(classes.size())};
}

Validation ClassificationValidator::validate(Context& c) const {
  Validation validation;
  BatchOptions batches = config_.batches();
  batches.shuffle = false;
  const BatchPlan plan(data_.dev, batches, 0, 0);
  std::vector<std::string> outputs(data_.dev.size()), labels(data_.dev.size());
  double sum = 0.0;
  for (size_t i = 0; i < plan.batches(); ++i) {
    const Batch batch = make_batch(data_.dev, plan.batch(i));
    const std::vector<int32_t>& classes = batch.field("label").ids;
    const Tensor log_probs = model_.log_probs(c, batch.field("source"));  // [B, C]
    for (size_t b = 0; b < classes.size(); ++b) {
      const float* row = log_probs.row<float>(static_cast<int64_t>(b));
      sum -= row[classes[b]];
      const auto best = std::max_element(row, row + log_probs.width()) - row;
      outputs[plan.batch(i)[b]] = text_.labels.name(static_cast<int32_t>(best));
      labels[plan.batch(i)[b]] = text_.labels.name(classes[b]);
    }
    c.arena.reset();
  }
  validation.loss = sum / static_cast<double>(data_.dev.size());
  if (!std::isfinite(validation.loss)) return validation;
  validation.metrics["accuracy"] = compute_metric("accuracy", outputs, {labels}).score;
  validation.metrics["f1"] = compute_metric("f1", outputs, {labels}).score;
  const size_t samples = std::min(outputs.size(), static_cast<size_t>(config_.samples));
  for (size_t i = 0; i < samples; ++i)
    validation.samples.push_back({data_.dev_source[i], labels[i], outputs[i]});
  return validation;
}

}  // namespace heed
