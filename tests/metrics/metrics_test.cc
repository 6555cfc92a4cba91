#include "heed/metrics/metrics.h"

#include <cmath>

#include "tests/metrics/fixture.h"

namespace heed {
namespace {

std::string message_of(const auto& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "accepted";
}

TEST(Metrics, EveryNameIsComputed) {
  const Sentences same = {"a b c d", "e f g h i"}, other = {"a b c", "x y"};
  for (const std::string& name : metric_names()) {
    const bool is_error = name == "ter" || name == "wer" || name == "per";
    EXPECT_NEAR(compute_metric(name, same, {same}).score, is_error ? 0 : 100, 1e-12) << name;
    const double worse = compute_metric(name, other, {same}).score;
    EXPECT_TRUE(is_error ? worse > 0 : worse < 100) << name << " " << worse;
    const auto of_sentences = compute_sentence_metric(name, same, {same});
    ASSERT_EQ(of_sentences.size(), 2u);
    EXPECT_NEAR(of_sentences[1].score, is_error ? 0 : 100, 1e-12) << name;
  }
}

TEST(Metrics, OptionsReachTheirMetrics) {
  const Sentences upper = {"A B C D."}, lower = {"a b c d ."};
  MetricOptions options;
  options.lowercase = true;
  for (const std::string name : {"bleu", "chrf", "chrf++"})
    EXPECT_GT(compute_metric(name, upper, {lower}, options).score, 99) << name;
  EXPECT_EQ(compute_metric("wer", {"A B"}, {{"a b"}}, options).score, 0);
  options.tokenizer = MetricTokenizer::kNone;
  EXPECT_LT(compute_metric("bleu", upper, {lower}, options).score, 80);
  options.whitespace = true;
  EXPECT_LT(compute_metric("chrf", upper, {lower}, options).score, 99);
  EXPECT_EQ(compute_metric("ter", upper, {lower}).score, 40);
  options.tercom.normalized = true;
  EXPECT_EQ(compute_metric("ter", upper, {lower}, options).score, 0);
}

TEST(Metrics, SentenceBleuKnowsShortSentences) {
  EXPECT_NEAR(compute_sentence_metric("bleu", {"one two"}, {{"one two"}})[0].score, 100, 1e-12);
  EXPECT_EQ(compute_metric("bleu", {"one two"}, {{"one two"}}).score, 0);
}

TEST(Metrics, TheTrainersNumbersAreTheLines) {
  const auto all = metrics_fixture();
  const Sentences hypotheses = all["hypotheses"];
  const ReferenceColumns columns = all["references"];
  EXPECT_EQ(corpus_bleu(hypotheses, columns[0]), compute_metric("bleu", hypotheses, {columns[0]}).score);
  EXPECT_NE(corpus_bleu(hypotheses, columns[0]), corpus_bleu(hypotheses, columns[0], MetricTokenizer::kChar));
  EXPECT_EQ(corpus_chrf(hypotheses, columns[0]), compute_metric("chrf", hypotheses, {columns[0]}).score);
}

TEST(Metrics, UnknownNamesGetTheNearest) {
  const std::string message = message_of([] { compute_metric("blue", {"a"}, {{"a"}}); });
  EXPECT_NE(message.find("unknown metric \"blue\". Did you mean bleu?"), std::string::npos) << message;
  EXPECT_NE(message.find("chrf++, ter"), std::string::npos) << message;
  EXPECT_NE(message_of([] { check_metric_name("BLEU"); }).find("Did you mean bleu?"), std::string::npos);
  EXPECT_EQ(message_of([] { check_metric_name("zzzzzz"); }).find("Did you mean"), std::string::npos);
}

TEST(Metrics, UnequalCountsAreRefused) {
  for (const std::string& name : metric_names()) {
    EXPECT_THROW(compute_metric(name, {"a", "b"}, {{"a"}}), InputError);
    EXPECT_THROW(compute_sentence_metric(name, {"a", "b"}, {{"a", "b"}, {"a"}}), InputError);
    EXPECT_THROW(compute_metric(name, {"a"}, {}), Error);
  }
}

TEST(Metrics, JsonHasTheSignaturesParts) {
  const auto json = nlohmann::json::parse(compute_metric("bleu", {"a b c d"}, {{"a b c d"}}).json());
  EXPECT_EQ(json["name"], "BLEU");
  EXPECT_NEAR(json["score"].get<double>(), 100, 1e-12);
  EXPECT_EQ(json["tok"], "13a");
  EXPECT_EQ(json["nrefs"], "1");
  EXPECT_EQ(json["verbose_score"].get<std::string>().substr(0, 11), "100.0/100.0");
  const auto f1 = nlohmann::json::parse(compute_metric("f1", {"a", "b"}, {{"a", "a"}}).json());
  EXPECT_EQ(f1["by_class"][0]["label"], "a");
  EXPECT_EQ(f1["by_class"][0]["recall"], 50);
}

}  // namespace
}  // namespace heed
