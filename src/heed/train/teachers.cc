#include "heed/train/teachers.h"

#include <algorithm>
#include <bit>
#include <cmath>

#include "heed/base/config_yaml.h"
#include "heed/base/text_key.h"
#include "heed/models/scheduled_sampling.h"
#include "heed/train/saved_model.h"

namespace heed {
namespace {

// Ids pass from the training to its teachers, so that both must mean the same by them.
void require_same_words(const TextProcessor& taught, const TextProcessor& teacher, const char* side,
                        const std::string& folder) {
  if (taught.vocabulary().serialised() == teacher.vocabulary().serialised()) return;
  fail_input(
      "train.distillation.teachers: {} has other words on the {} side than this training ({}, not {}); a "
      "teacher is trained on the same data with the same text settings",
      folder, side, teacher.vocabulary().size(), taught.vocabulary().size());
}

}  // namespace

Teachers::Teachers(const std::vector<std::string>& folders, const ModelText& text, const DataConfig& data) {
  for (const std::string& folder : folders) {
    const SavedModel& model = *models_.emplace_back(std::make_unique<SavedModel>(folder, 1));
    model.encoder_decoder();  // refuses a classifier
    require_same_words(*text.source, *model.text().source, "source", folder);
    require_same_words(*text.target, *model.text().target, "target", folder);
    const int64_t longest = model.encoder_decoder().step_decoder()->longest();
    if (std::max(data.max_source_length, data.max_target_length) > longest)
      fail_input(
          "train.distillation.teachers: {} has only {} positions, but data.max_source_length is {} and "
          "data.max_target_length {}; lower them, or choose another teacher",
          folder, longest, data.max_source_length, data.max_target_length);
  }
}

Teachers::~Teachers() = default;

Tensor Teachers::probabilities(Context& c, const Batch& batch) const {
  const AsInDecoding decoding(c);
  const auto share = 1.0f / static_cast<float>(models_.size());
  Tensor mean;
  for (const std::unique_ptr<SavedModel>& model : models_) {
    const Tensor log_probs =
        model->encoder_decoder().log_probs(c, batch.field("source"), batch.field("target"));
    const bool first = !mean;
    if (first) mean = c.allocate(log_probs.shape(), DType::f32);
    c.pool.run(log_probs.rows(), [&](int64_t r) {
      const float* from = log_probs.row<float>(r);
      float* to = mean.row<float>(r);
      for (int64_t w = 0; w < log_probs.width(); ++w)
        to[w] = (first ? 0.0f : to[w]) + share * std::exp(from[w]);
    });
  }
  return mean;
}

std::string Teachers::fingerprint() const {
  uint64_t key = 0;
  for (const std::unique_ptr<SavedModel>& model : models_) {
    key = key_of_text(write_yaml(model->config().model), key);
    for (const Buffer& saved : model->model().parameters().saved()) {
      const float* weights = saved.value.data<float>();
      for (int64_t i = 0; i < saved.value.size(); ++i) key = mix64(key, std::bit_cast<uint32_t>(weights[i]));
    }
  }
  return fmt::format("{:016x}", key);
}

}  // namespace heed
