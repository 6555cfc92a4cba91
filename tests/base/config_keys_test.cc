#include "heed/base/config_keys.h"

#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "tests/support/sample_config.h"

namespace heed {
namespace {

TEST(ConfigKeys, DescribesAGroup) {
  EXPECT_EQ(describe(visit_of(SampleConfig{}), "model"),
            "model: the model\n"
            "  model.type     the architecture\n"
            "                 transformer | rnn, default transformer\n"
            "  model.width    model width D\n"
            "                 whole number of at least 1, default 512\n"
            "  model.dropout  share of activations set to zero\n"
            "                 number between 0 and 1, default 0.1\n"
            "  model.heads    attention heads\n"
            "                 whole number between 1 and 64, default 8\n");
}

TEST(ConfigKeys, DescribesEverything) {
  const std::string text = describe(visit_of(SampleConfig{}));
  for (const ConfigKey& key : list_keys(visit_of(SampleConfig{})))
    EXPECT_NE(text.find(key.path), std::string::npos) << key.path;
}

TEST(ConfigKeys, UnknownGroupNamesTheNearest) {
  try {
    describe(visit_of(SampleConfig{}), "modle");
    FAIL() << "no error";
  } catch (const InputError& error) {
    EXPECT_STREQ(
        error.what(),
        "\"modle\": no group of the configuration has this name; there are data, model, train. Did you "
        "mean model?");
  }
}

TEST(ConfigKeys, DescribesAsMarkdown) {
  EXPECT_EQ(describe_as_markdown(visit_of(SampleModel{.type = SampleModel::Type::rnn})),
            "| key | type | default | what it is |\n"
            "| --- | --- | --- | --- |\n"
            "| `type` | transformer \\| rnn | `rnn` | the architecture |\n"
            "| `width` | whole number of at least 1 | `512` | model width D |\n"
            "| `dropout` | number between 0 and 1 | `0.1` | share of activations set to zero |\n"
            "| `cell` | gru \\| lstm | `gru` | recurrent cell |\n");
  EXPECT_NE(describe_as_markdown(visit_of(SampleConfig{})).find("\n\n## model\n\nthe model\n\n| key |"),
            std::string::npos);
}

TEST(ConfigKeys, DifferencesHaveBothValues) {
  SampleConfig first, second;
  EXPECT_TRUE(differences(visit_of(first), visit_of(second)).empty());
  second.model.type = SampleModel::Type::rnn;
  second.train.rate = 0.5;
  const auto found = differences(visit_of(first), visit_of(second));
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(found[0].path, "model.type");
  EXPECT_EQ(found[0].first, "transformer");
  EXPECT_EQ(found[0].second, "rnn");
  EXPECT_EQ(found[1].path, "model.heads");
  EXPECT_EQ(found[1].second, "(none)");
  EXPECT_EQ(found[2].path, "train.rate");
  EXPECT_EQ(found[3].path, "model.cell");
  EXPECT_EQ(found[3].first, "(none)");
  EXPECT_EQ(found[3].second, "gru");
}

}  // namespace
}  // namespace heed
