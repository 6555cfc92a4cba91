#include "heed/metrics/bleu.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

namespace heed {
namespace {

using Lines = std::vector<std::string>;

nlohmann::json fixture() {
  return nlohmann::json::parse(std::ifstream(HEED_SOURCE_DIR "/tests/fixtures/metrics/sacrebleu.json"));
}

BleuOptions options_of(const nlohmann::json& c) {
  BleuOptions options;
  for (auto t :
       {MetricTokenizer::k13a, MetricTokenizer::kIntl, MetricTokenizer::kChar, MetricTokenizer::kNone})
    if (c["tokenizer"] == name_of(t)) options.tokenizer = t;
  options.lowercase = c["lowercase"];
  const std::string smoothing = c["smoothing"];
  options.smoothing = smoothing == "exp"     ? BleuSmoothing::kExp
                      : smoothing == "floor" ? BleuSmoothing::kFloor
                      : smoothing == "add-k" ? BleuSmoothing::kAddK
                                             : BleuSmoothing::kNone;
  if (!c["value"].is_null()) options.smooth_value = c["value"];
  return options;
}

TEST(Bleu, EqualsSacrebleuOnOddText) {
  const auto all = fixture();
  const Lines hypotheses = all["hypotheses"];
  ASSERT_EQ(all["bleu"].size(), 96u);
  for (const auto& c : all["bleu"]) {
    std::vector<Lines> references = all["references"];
    references.resize(c["references"]);
    BleuOptions options = options_of(c);
    Bleu corpus(options);
    add_corpus(corpus, hypotheses, references);
    EXPECT_EQ(corpus.score().line(), c["line"]);
    Bleu empty(options);
    add_corpus(empty, Lines(hypotheses.size()), references);
    EXPECT_EQ(empty.score().line(), c["empty"]);
    options.effective_order = true;
    for (size_t i = 0; i < hypotheses.size(); ++i) {
      Lines own;
      for (const Lines& column : references) own.push_back(column[i]);
      Bleu sentence(options);
      sentence.add(hypotheses[i], own);
      // The fixture keeps six decimals.
      EXPECT_NEAR(sentence.score().score, c["sentences"][i].get<double>(), 1e-6)
          << c["line"] << " sentence " << i;
    }
  }
}

TEST(Bleu, MergedPartsScoreAsTheWhole) {
  const Lines reference = {"a b c d e"};
  Bleu whole, first, second;
  whole.add("a b c d", reference);
  whole.add("e d c b a", reference);
  first.add("a b c d", reference);
  second.add("e d c b a", reference);
  first.merge(second);
  EXPECT_EQ(first.score().line(), whole.score().line());
}

TEST(Bleu, RefusesUnequalNumbersOfLinesAndWhatIsNotUtf8) {
  Bleu bleu;
  try {
    add_corpus(bleu, {"a", "b"}, {{"a"}});
    FAIL() << "accepted";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("2 hypotheses but 1 lines"), std::string::npos) << error.what();
  }
  EXPECT_THROW(bleu.add("\xff", Lines{"a"}), InputError);
  EXPECT_THROW(bleu.add("a", Lines{}), Error);
}

}  // namespace
}  // namespace heed
