#include "heed/train/teachers.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <utility>

#include "heed/autograd/tape.h"
#include "heed/base/config_yaml.h"
#include "heed/base/text_key.h"
#include "heed/train/saved_model.h"

namespace heed {
namespace {

// The teacher's id of each word that is taught.
std::vector<int32_t> ids_of_teacher(const TextProcessor& taught, const TextProcessor& teacher,
                                    const char* side, const std::string& folder) {
  SameWords same = same_words(taught.vocabulary(), teacher.vocabulary());
  if (!same.difference.empty())
    fail_input(
        "train.distillation.teachers: {} has other words on the {} side than this training ({}); a teacher "
        "is trained with the same text settings on data that has the same words",
        folder, side, same.difference);
  return std::move(same.ids);
}

// What the teacher reads for it.
TokenField renamed(const TokenField& field, const std::vector<int32_t>& ids) {
  return {renumbered(field.ids, ids), field.layout};
}

}  // namespace

Teachers::Teachers(const std::vector<std::string>& folders, const ModelText& text, const DataConfig& data,
                   int64_t target_tokens) {
  for (const std::string& folder : folders) {
    auto opened = std::make_unique<SavedModel>(folder, 1);
    const int64_t longest = opened->encoder_decoder().step_decoder()->longest();  // a classifier throws
    if (std::max(data.max_source_length, data.max_target_length) > longest)
      fail_input(
          "train.distillation.teachers: {} has only {} positions, but data.max_source_length is {} and "
          "data.max_target_length {}; lower them, or choose another teacher",
          folder, longest, data.max_source_length, data.max_target_length);
    teachers_.push_back({nullptr, ids_of_teacher(*text.source, *opened->text().source, "source", folder),
                         ids_of_teacher(*text.target, *opened->text().target, "target", folder)});
    teachers_.back().model = std::move(opened);
  }
  constexpr int64_t kMostKept = int64_t{1} << 29;  // bytes
  const int64_t of_token = text.target->vocabulary().size() * size_of(DType::f32);
  if (target_tokens > 0 && target_tokens <= kMostKept / of_token)
    kept_ = Tensor::empty({target_tokens, text.target->vocabulary().size()});
}

Teachers::~Teachers() = default;

Tensor Teachers::probabilities(Context& c, const Batch& batch) {
  if (!kept_) return asked(c, batch);
  const Layout& layout = batch.field("target").layout;
  const std::span<const uint64_t> numbers = layout.numbers();
  const bool known =
      std::all_of(numbers.begin(), numbers.end(), [&](uint64_t number) { return place_.contains(number); });
  Tensor taught = known ? c.allocate({layout.rows(), kept_.width()}, DType::f32) : asked(c, batch);
  for (int64_t i = 0; i < layout.sentences(); ++i) {
    const int32_t length = layout.length(i);
    const auto [place, is_new] = place_.try_emplace(numbers[static_cast<size_t>(i)], kept_rows_);
    if (known)
      copy_rows(kept_, place->second, taught, layout.begin(i), length);
    else if (is_new)
      copy_rows(taught, layout.begin(i), kept_, std::exchange(kept_rows_, kept_rows_ + length), length);
  }
  return taught;
}

Tensor Teachers::asked(Context& c, const Batch& batch) const {
  const AsInDecoding decoding(c);
  const auto share = 1.0f / static_cast<float>(teachers_.size());
  Tensor mean;
  for (const Teacher& teacher : teachers_) {
    const Tensor log_probs =
        teacher.model->encoder_decoder().log_probs(c, renamed(batch.field("source"), teacher.source_ids),
                                                   renamed(batch.field("target"), teacher.target_ids));
    const bool first = !mean;
    if (first) mean = c.allocate(log_probs.shape(), DType::f32);
    c.pool.run(log_probs.rows(), [&](int64_t r) {
      const float* from = log_probs.row<float>(r);
      float* to = mean.row<float>(r);
      for (int64_t w = 0; w < log_probs.width(); ++w)
        to[w] = (first ? 0.0f : to[w]) + share * std::exp(from[teacher.target_ids[static_cast<size_t>(w)]]);
    });
  }
  return mean;
}

std::string Teachers::fingerprint() const {
  uint64_t key = 0;
  for (const Teacher& teacher : teachers_) {
    const SavedModel& model = *teacher.model;
    key = key_of_text(write_yaml(model.config().model), key);
    for (const TextProcessor* side : {model.text().source.get(), model.text().target.get()})
      key = key_of_text(side->vocabulary().serialised(), key);
    for (const Buffer& saved : model.model().parameters().saved()) {
      const float* weights = saved.value.data<float>();
      for (int64_t i = 0; i < saved.value.size(); ++i) key = mix64(key, std::bit_cast<uint32_t>(weights[i]));
    }
  }
  return fmt::format("{:016x}", key);
}

}  // namespace heed
