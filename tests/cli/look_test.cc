// heed attend and heed report on translators of each kind; a classifier's are in classify_test.cc.
#include <gtest/gtest.h>

#include "heed/base/file.h"
#include "tests/support/process.h"
#include "tests/support/toy_task.h"

namespace heed::test {
namespace {

struct Kind {
  const char* name;
  const char* model;  // the configuration's group
  bool attends;
};

class Look : public testing::TestWithParam<Kind> {};

TEST_P(Look, AttentionAndReport) {
  const ToyTask task;
  write_file(task.config(),
             std::string("data: {train: {source: source, target: target}}\ntext: {kind: words}\n") +
                 "train: {batch_tokens: 64, updates: 20, validate_every: 10}\n" + "model: {width: 16, " +
                 GetParam().model + "}\n");
  const Result trained = run_heed(task.train("model"));
  ASSERT_EQ(trained.code, 0) << trained.errors;

  const Result seen = run_heed({"attend", task.path("model"), "a b c"});
  EXPECT_EQ(seen.code, GetParam().attends ? 0 : 2) << seen.errors;
  if (!GetParam().attends) {
    EXPECT_NE(seen.errors.find("model.attention: none"), std::string::npos) << seen.errors;
  }

  const Result page =
      run_heed({"report", task.path("model"), "--sentence", "a b c", "-o", task.path("report.html")});
  ASSERT_EQ(page.code, 0) << page.errors;
  const std::string html = read_file(task.path("report.html"));
  EXPECT_EQ(html.find("<h2>Attention") != std::string::npos, GetParam().attends);
  EXPECT_NE(html.find("<h2>Beam"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Kinds, Look,
                         testing::Values(Kind{"Transformer", "layers: 1, heads: 2, feed_forward: 16", true},
                                         Kind{"Recurrent", "type: rnn, embedding: 16", true},
                                         Kind{"WithoutAttention", "type: rnn, embedding: 16, attention: none",
                                              false}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace heed::test
