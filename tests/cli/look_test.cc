// heed attend and heed report on translators of each kind; a classifier's are in classify_test.cc.
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>

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

// Letters are looked at one by one; every kind of attention is in the report, and each sentence once.
TEST(LookAt, CharactersAndEveryKindOfAttention) {
  const ToyTask task;
  write_file(task.config(),
             "data: {train: {source: source, target: target}}\ntext: {kind: characters}\n"
             "train: {batch_tokens: 200, updates: 10, validate_every: 10}\n"
             "model: {width: 16, layers: 1, heads: 2, feed_forward: 16}\n");
  ASSERT_EQ(run_heed(task.train("model")).code, 0);
  ASSERT_EQ(
      run_heed({"attend", task.path("model"), "abc", "--target", "cb", "-o", task.path("map.json")}).code, 0);
  const auto map = nlohmann::json::parse(read_file(task.path("map.json")));
  EXPECT_EQ(map["source"], nlohmann::json::parse(R"(["a", "b", "c", "</s>"])"));
  EXPECT_EQ(map["target"], nlohmann::json::parse(R"(["c", "b", "</s>"])"));
  EXPECT_EQ(map["joined"], false);

  // To write each letter, the decoder has read those before it.
  const auto own = [&](const std::vector<std::string>& more) {
    std::vector<std::string> command = {"attend", task.path("model"), "abc", "--target",           "cb",
                                        "--kind", "decoder",          "-o",  task.path("own.json")};
    command.insert(command.end(), more.begin(), more.end());
    EXPECT_EQ(run_heed(command).code, 0);
    return nlohmann::json::parse(read_file(task.path("own.json")));
  };
  for (const auto& seen : {own({}), own({"--pieces"})}) {
    EXPECT_EQ(seen["source"], nlohmann::json::parse(R"(["<s>", "c", "b"])"));
    EXPECT_EQ(seen["target"], nlohmann::json::parse(R"(["c", "b", "</s>"])"));
    EXPECT_EQ(seen["heads"][0]["weights"][0], nlohmann::json::parse("[1.0, 0.0, 0.0]"));
  }

  // An empty translation is one as well.
  ASSERT_EQ(
      run_heed({"attend", task.path("model"), "abc", "--target", "", "-o", task.path("none.json")}).code, 0);
  EXPECT_EQ(nlohmann::json::parse(read_file(task.path("none.json")))["target"],
            nlohmann::json::parse(R"(["</s>"])"));

  // A folder that was handed on has no log.
  remove_tree(task.path("model/log.jsonl"));
  const Result page =
      run_heed({"report", task.path("model"), "--sentence", "abc", "-o", task.path("r.html")});
  ASSERT_EQ(page.code, 0) << page.errors;
  const std::string html = read_file(task.path("r.html"));
  const Result streamed = run_heed({"report", task.path("model"), "--sentence", "abc", "-o", "-"});
  EXPECT_EQ(streamed.out, html) << streamed.errors;
  EXPECT_EQ(streamed.errors, "");
  for (const char* text : {"encoder layer 1, head 2", "decoder layer 1, head 1", "layer 1, head 1",
                           "The encoder attends to the source", "has no log.jsonl"})
    EXPECT_NE(html.find(text), std::string::npos) << text;
}

// A source that the model cannot read to its end is looked at as far as it is translated.
TEST(LookAt, ASourceIsCutWhereTranslatingCutsIt) {
  const ToyTask task;
  const Result trained = run_heed(
      task.train("model", {"train.updates=10", "model.positions=learned", "model.max_positions=4",
                           "data.max_source_length=4", "data.max_target_length=4", "data.longer=cut"}));
  ASSERT_EQ(trained.code, 0) << trained.errors;
  const Result seen = run_heed({"attend", task.path("model"), "a b c d e", "-o", task.path("map.json")});
  ASSERT_EQ(seen.code, 0) << seen.errors;
  EXPECT_EQ(run_heed({"attend", task.path("model"), "a b c d e", "--json"}).out,
            read_file(task.path("map.json")));
  EXPECT_EQ(run_heed({"attend", task.path("model"), "a b", "--json", "-o", task.path("both.json")}).code, 2);
  EXPECT_NE(seen.errors.find("the model reads no further"), std::string::npos) << seen.errors;
  EXPECT_EQ(nlohmann::json::parse(read_file(task.path("map.json")))["source"],
            nlohmann::json::parse(R"(["a", "b", "c", "</s>"])"));
  EXPECT_EQ(run_heed({"attend", task.path("model"), "a b"}).errors, "");
  const Result page = run_heed({"report", task.path("model"), "--sentence", "a b c d e", "--sentence", "a b",
                                "-o", task.path("report.html")});
  ASSERT_EQ(page.code, 0) << page.errors;
  const std::string html = read_file(task.path("report.html"));
  const size_t note = html.find("a b c d e&quot;: The text goes on; the model reads no further.");
  EXPECT_NE(note, std::string::npos);
  EXPECT_EQ(html.find("no further", note + 80), std::string::npos);
}

TEST(LookAt, ASentenceLoggedTwiceIsShownOnce) {
  const ToyTask task;
  std::string twice;
  for (int i = 0; i < 40; ++i) twice += "a b\n";
  write_file(task.path("dev"), twice);
  const std::string dev = ", dev: {source: dev, target: dev}}";
  std::string config = read_file(task.config());
  config.replace(config.find("}}\ntext"), 2, "}" + dev);
  write_file(task.config(), config);
  ASSERT_EQ(run_heed(task.train("model", {"train.updates=10"})).code, 0);
  ASSERT_EQ(run_heed({"report", task.path("model"), "-o", task.path("r.html")}).code, 0);
  const std::string html = read_file(task.path("r.html")),
                    heading = "<h3>The decoder attends to the source</h3>";
  const size_t first = html.find(heading);
  ASSERT_NE(first, std::string::npos);
  EXPECT_EQ(html.find(heading, first + 1), std::string::npos);
}

// An output that the length limit cut: nothing shown pretends that it ended, and the search's winner is
// there.
TEST(LookAt, AnOutputThatWasCutHasNoEnd) {
  const ToyTask task;
  std::string sources, targets;
  for (int i = 0; i < 40; ++i) {
    sources += "a\n";
    for (int word = 0; word < 30; ++word) targets += word > 0 ? " b" : "b";
    targets += "\n";
  }
  write_file(task.path("source"), sources);
  write_file(task.path("target"), targets);
  ASSERT_EQ(run_heed(task.train("model", {"train.updates=40", "train.validate_every=40"})).code, 0);
  ASSERT_EQ(
      run_heed({"report", task.path("model"), "--sentence", "a", "--beam", "1", "-o", task.path("r.html")})
          .code,
      0);
  const std::string html = read_file(task.path("r.html"));
  const std::string section = html.substr(html.find("<h2>Token probabilities"));
  EXPECT_NE(section.find("<b>b</b>"), std::string::npos) << section;
  EXPECT_EQ(section.find("<b>&lt;/s&gt;"), std::string::npos) << section;
  EXPECT_NE(html.find(", the winner"), std::string::npos);
}

// Pieces of an unfinished model make a text that would be cut in another way.
TEST(LookAt, TheOutputsOwnPiecesAreShown) {
  const ToyTask task;
  ASSERT_EQ(run_heed(task.train("model", {"text.kind=sentencepiece", "text.algorithm=unigram",
                                          "text.vocabulary=16", "train.updates=1"}))
                .code,
            0);
  write_file(task.path("input"), "a b\n");
  const auto translated = nlohmann::json::parse(
      run_heed({"translate", task.path("model"), "--json"}, task.path("input")).out)["hypotheses"][0];
  auto expected = translated["pieces"];
  if (translated["ended"]) expected.push_back("</s>");
  ASSERT_EQ(run_heed({"attend", task.path("model"), "a b", "--pieces", "-o", task.path("map.json")}).code, 0);
  EXPECT_EQ(nlohmann::json::parse(read_file(task.path("map.json")))["target"], expected);
}

TEST(LookAt, RunsOfOneNameAreToldApart) {
  const ToyTask task;
  ASSERT_EQ(run_heed(task.train("one/model", {"train.updates=1"})).code, 0);
  std::filesystem::create_directory(task.path("two"));
  std::filesystem::copy(task.path("one/model"), task.path("two/model"),
                        std::filesystem::copy_options::recursive);
  const auto title = [&](const std::vector<std::string>& runs) {
    std::vector<std::string> arguments = {"report", "--samples", "0", "-o", "-"};
    arguments.insert(arguments.end(), runs.begin(), runs.end());
    const Result result = run_heed(arguments);
    EXPECT_EQ(result.code, 0) << result.errors;
    const size_t begin = result.out.find("<h1>") + 4;
    return result.out.substr(begin, result.out.find("</h1>") - begin);
  };
  EXPECT_EQ(title({task.path("one/model/")}), "model");
  EXPECT_EQ(title({task.path("one/../one/model/.")}), "model");
  EXPECT_EQ(title({task.path("one/model"), task.path("two/model")}), "one/model · two/model");
  const std::string twice = title({task.path("one/model"), task.path("one/model")});
  EXPECT_TRUE(twice.ends_with("one/model")) << twice;
}

TEST(LookAt, AReportIsAPage) {
  const ToyTask task;
  ASSERT_EQ(run_heed(task.train("model", {"train.updates=1"})).code, 0);
  const Result refused = run_heed({"report", task.path("model"), "-o", task.path("r.pdf")});
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.errors.find("give its name the ending .html"), std::string::npos) << refused.errors;
  const Result idle = run_heed({"report", task.path("model"), "--samples", "0", "--beam", "3", "-o", "-"});
  EXPECT_EQ(idle.code, 2);
  EXPECT_NE(idle.errors.find("--samples 0 shows none; leave one of them out"), std::string::npos)
      << idle.errors;
}

TEST(LookAt, AFolderThatCannotBeIsNoModel) {
  for (const size_t size : {256, 5000}) {
    const std::string name(size, 'n');
    const Result refused = run_heed({"report", name, name});
    EXPECT_EQ(refused.code, 2);
    EXPECT_EQ(refused.errors, "heed: " + name + ": there is no such model folder\n");
  }
}

TEST(LookAt, ALayerThatTheModelLacksIsNamed) {
  const ToyTask task;
  ASSERT_EQ(run_heed(task.train("model", {"train.updates=1"})).code, 0);
  const auto refusal = [&](const std::vector<std::string>& options) {
    std::vector<std::string> arguments = {"attend", task.path("model"), "a b"};
    arguments.insert(arguments.end(), options.begin(), options.end());
    const Result result = run_heed(arguments);
    EXPECT_EQ(result.code, 2);
    return result.errors;
  };
  EXPECT_NE(refusal({"--layer", "2"}).find("and no layer 2\n"), std::string::npos);
  EXPECT_NE(refusal({"--layer", "2", "--head", "9"}).find("and no layer 2, head 9\n"), std::string::npos);
}

TEST(LookAt, AKindThatTheModelLacksIsNamed) {
  const ToyTask task;
  std::string config = read_file(task.config());
  config.replace(config.find("model: {"), 8, "model: {type: rnn, embedding: 8} #");
  write_file(task.config(), config);
  ASSERT_EQ(run_heed(task.train("model", {"train.updates=10"})).code, 0);
  const Result seen = run_heed({"attend", task.path("model"), "a b", "--kind", "encoder"});
  EXPECT_EQ(seen.code, 2);
  EXPECT_NE(seen.errors.find("no attention of the encoder to itself"), std::string::npos) << seen.errors;
}

INSTANTIATE_TEST_SUITE_P(Kinds, Look,
                         testing::Values(Kind{"Transformer", "layers: 1, heads: 2, feed_forward: 16", true},
                                         Kind{"Recurrent", "type: rnn, embedding: 16", true},
                                         Kind{"WithoutAttention", "type: rnn, embedding: 16, attention: none",
                                              false}),
                         [](const auto& info) { return std::string(info.param.name); });

}  // namespace
}  // namespace heed::test
