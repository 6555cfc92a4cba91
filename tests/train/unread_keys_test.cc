#include "heed/train/unread_keys.h"

#include <gtest/gtest.h>

#include "heed/base/config_yaml.h"
#include "heed/base/error.h"

namespace heed {
namespace {

void refuse_unread(const std::string& yaml) {
  RunConfig config;
  read_yaml(yaml, "test", config);
  refuse_unread_keys(config);
}

TEST(UnreadKeys, AreNamedWithTheReason) {
  const std::pair<const char*, const char*> mistakes[] = {
      {"train: {batch_sentences: 8}", "train.batch_sentences does nothing without train.batch_by: sentences"},
      {"train: {batch_by: sentences, batch_tokens: 8}", "train.batch_tokens does nothing"},
      {"train: {final_rate: 1e-5}", "train.final_rate does nothing without train.schedule: cosine"},
      {"train: {metric: bleu}\ndata: {held_out: 0}", "train.metric does nothing with data.held_out: 0"},
      {"train: {guided_attention: {measure: 5}}\ndata: {held_out: 0}", "train.guided_attention.measure"},
      {"train: {guided_attention: {half_life: 100}}", "train.guided_attention.half_life does nothing"},
      {"train: {distillation: {weight: 0.5}}", "train.distillation.weight does nothing without"},
      {"text: {kind: words, codes: a.bpe}", "text.codes does nothing without text.kind: bpe"},
      {"text: {kind: words, target_vocabulary: 8}", "text.target_vocabulary does nothing"},
      {"text: {kind: words, algorithm: bpe}", "text.algorithm does nothing"},
      {"text: {kind: words, byte_fallback: true}", "text.byte_fallback does nothing"},
      {"text: {kind: characters, character_coverage: 0.95}", "text.character_coverage does nothing"},
      {"train: {scheduled_sampling: {k: 20}}", "choose one that is not none"},
      {"train: {scheduled_sampling: {teacher_forcing: 0.3}}", "train.scheduled_sampling.teacher_forcing"},
      {"train: {scheduled_sampling: {sample: true}}", "train.scheduled_sampling.sample"},
      {"train: {scheduled_sampling: {slope: 0.1}}", "train.scheduled_sampling.slope"},
      {"train: {scheduled_sampling: {schedule: constant, k: 0.5}}", "leave it out"},
      {"train: {scheduled_sampling: {schedule: exponential, k: 0.5, slope: 0.1}}", "leave it out"}};
  for (const auto& [yaml, expected] : mistakes) {
    try {
      refuse_unread(std::string(yaml) + "\n");
      ADD_FAILURE() << "accepted: " << yaml;
    } catch (const InputError& error) {
      EXPECT_NE(std::string(error.what()).find(expected), std::string::npos) << error.what();
    }
  }
}

TEST(UnreadKeys, ThoseThatAreReadPass) {
  for (const char* yaml :
       {"train: {batch_by: sentences, batch_sentences: 8}", "train: {schedule: cosine, final_rate: 1e-5}",
        "text: {kind: bpe, codes: a}", "text: {kind: words, target_kind: bpe, codes: a, shared: false}",
        "text: {shared: false, target_vocabulary: 8, algorithm: bpe, byte_fallback: true}",
        "train: {metric: bleu}", "train: {metric: bleu}\ndata: {held_out: 0, dev: {tsv: dev.tsv}}",
        "train: {guided_attention: {weight: 1, half_life: 100}}",
        "train: {distillation: {teachers: [a], weight: 0.5}}",
        "train: {scheduled_sampling: {schedule: linear, slope: 0.1, k: 1.1, sample: true}}"})
    EXPECT_NO_THROW(refuse_unread(std::string(yaml) + "\n")) << yaml;
}

}  // namespace
}  // namespace heed
