// What does not fit together is refused, with what to do.
#include <gtest/gtest.h>

#include <string>

#include "heed/base/error.h"
#include "heed/models/rnn_seq2seq.h"

namespace heed::test {
namespace {

void expect_refused(const RnnConfig& config, int64_t source_words, const std::string& says) {
  try {
    const RnnSeq2Seq model(config, source_words, 12, 1);
    FAIL() << "accepted";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find(says), std::string::npos) << error.what();
  }
}

TEST(RnnConfig, ADotProductOfDifferentWidthsIsRefused) {
  for (const RnnAttention score : {RnnAttention::dot, RnnAttention::scaled_dot}) {
    RnnConfig config;
    config.width = 8;
    config.attention = score;
    expect_refused(config, 12, "model.bidirectional: false");
  }
}

TEST(RnnConfig, InputFeedingNeedsAttentionAfterTheStep) {
  RnnConfig config;
  config.input_feeding = true;
  config.attend = AttendWhen::conditional;
  expect_refused(config, 12, "model.attend: after");
  config.attend = AttendWhen::after;
  config.attention = RnnAttention::none;
  expect_refused(config, 12, "model.attend: after");
}

TEST(RnnConfig, AWindowNeedsAttentionAfterTheStep) {
  RnnConfig config;
  config.window = Window::local_p;
  config.attend = AttendWhen::before;
  expect_refused(config, 12, "model.window other than global needs an attention with model.attend: after");
}

TEST(RnnConfig, MonotonicAttentionSeesTheWholeSource) {
  RnnConfig config;
  config.monotonic = true;
  config.attention = RnnAttention::none;
  expect_refused(config, 12, "model.monotonic needs an attention with model.window: global");
  config.attention = RnnAttention::bilinear;
  config.attend = AttendWhen::after;
  config.window = Window::local_m;
  expect_refused(config, 12, "model.monotonic needs an attention with model.window: global");
}

TEST(RnnConfig, OneEmbeddingForTwoVocabulariesIsRefused) {
  RnnConfig config;
  config.tying = Tying::all;
  expect_refused(config, 11, "text.shared: true");
}

}  // namespace
}  // namespace heed::test
