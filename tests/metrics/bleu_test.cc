#include "heed/metrics/bleu.h"

#include "tests/metrics/fixture.h"

namespace heed {
namespace {

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
  const auto all = metrics_fixture();
  ASSERT_EQ(all["bleu"].size(), 96u);
  for (const auto& c : all["bleu"]) {
    const BleuOptions options = options_of(c);
    BleuOptions of_sentences = options;
    of_sentences.effective_order = true;
    expect_sacrebleu<Bleu>(all, c, options, of_sentences);
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
