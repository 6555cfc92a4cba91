// The translator around a real, untrained model: what goes in comes out in order, whatever is batched with
// it.
#include "heed/decode/translator.h"

#include <gtest/gtest.h>

#include <map>

#include "heed/base/error.h"
#include "heed/data/batch.h"
#include "heed/models/transformer.h"
#include "heed/text/text_processor.h"

namespace heed {
namespace {

ModelText words_text() {
  const TextConfig config = [] {
    TextConfig words;
    words.kind = TextKind::kWords;
    return words;
  }();
  return ModelText::build(
      config,
      [](TextSide) -> SentenceStream {
        return [given = false](std::string& sentence) mutable {
          sentence = "a b c d e f g h";
          return !std::exchange(given, true);
        };
      },
      "words");
}

class TranslatorTest : public testing::Test {
 protected:
  explicit TranslatorTest(int64_t positions = 0)
      : text_(words_text()),
        model_(
            [&] {
              TransformerConfig config;
              config.width = 16;
              config.heads = 2;
              config.layers = 1;
              config.feed_forward = 16;
              config.positions = positions > 0 ? Positions::learned : Positions::sinusoidal;
              config.max_positions = std::max<int64_t>(positions, 1);
              return config;
            }(),
            text_.source->vocabulary().size(), text_.target->vocabulary().size(), 3) {}

  std::vector<Translation> translate(const std::vector<std::string>& lines, const TranslateOptions& options,
                                     int threads = 1) {
    Context c(threads);
    return Translator(model_, text_).translate(c, lines, options);
  }

  ModelText text_;
  Transformer model_;
};

const std::vector<std::string> kLines = {"a b", "", "h g f e d c b a", "c", "  ", "b a", "unheard of", "a b"};

TEST_F(TranslatorTest, OutputIsThatOfTheLineAlone) {
  for (const bool sample : {false, true}) {
    TranslateOptions options;
    options.search.sample = sample;
    options.search.beam = options.n_best = 3;
    const auto expected = translate(kLines, options);
    ASSERT_EQ(expected.size(), kLines.size());
    TranslateOptions narrow = options;
    narrow.batch_tokens = 5;
    TranslateOptions single = options;
    single.batch_sentences = 1;
    const std::vector<Translation> others[] = {translate(kLines, options, 2), translate(kLines, narrow),
                                               translate(kLines, single)};
    for (const auto& other : others) {
      for (size_t i = 0; i < kLines.size(); ++i) {
        ASSERT_EQ(other[i].hypotheses.size(), expected[i].hypotheses.size());
        for (size_t n = 0; n < expected[i].hypotheses.size(); ++n) {
          EXPECT_EQ(other[i].hypotheses[n].pieces, expected[i].hypotheses[n].pieces);
          EXPECT_EQ(other[i].hypotheses[n].token_log_probs,
                    expected[i].hypotheses[n].token_log_probs);  // bytes
          EXPECT_EQ(other[i].hypotheses[n].score, expected[i].hypotheses[n].score);
        }
      }
    }
    EXPECT_EQ(expected[0].text(), expected[7].text());
  }
}

TEST_F(TranslatorTest, EmptyLinesGiveEmptyLines) {
  const auto translations = translate(kLines, {});
  for (const size_t i : {1, 4}) {
    ASSERT_EQ(translations[i].hypotheses.size(), 1u);
    EXPECT_EQ(translations[i].text(), "");
    EXPECT_TRUE(translations[i].hypotheses[0].ended);
  }
  EXPECT_TRUE(translate({}, {}).empty());
  EXPECT_EQ(translate({"", ""}, {}).size(), 2u);
}

// Batches are sorted by length; whoever watches counts lines.
TEST_F(TranslatorTest, StepsAreThoseOfTheirLines) {
  for (const int64_t batch_sentences : {1, 2, 64}) {
    TranslateOptions options;
    options.batch_sentences = batch_sentences;
    Context c(1);
    std::map<int64_t, std::vector<double>> seen;  // the best log-probability at each step of a line
    const SearchObserver observer = [&](const SearchStep& step) {
      seen[step.sentence].push_back(step.rows.front().log_prob);
    };
    Translator(model_, text_).translate(c, kLines, options, observer);
    std::map<int64_t, std::vector<double>> expected;
    for (size_t i = 0; i < kLines.size(); ++i) {
      const SearchObserver alone = [&](const SearchStep& step) {
        EXPECT_EQ(step.sentence, 0);
        expected[static_cast<int64_t>(i)].push_back(step.rows.front().log_prob);
      };
      Translator(model_, text_).translate(c, {kLines[i]}, options, alone);
    }
    EXPECT_EQ(seen, expected);
  }
}

TEST_F(TranslatorTest, LongSourcesAreCutByThemselves) {
  TranslateOptions options;
  options.max_source_length = 2;
  const auto cut = translate({"a b c d", "h", "a b"}, options);
  EXPECT_EQ(cut[0].source_pieces, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(cut[0].text(), cut[2].text());
  EXPECT_EQ(cut[1].text(), translate({"h"}, {})[0].text());
}

TEST_F(TranslatorTest, NothingAskedForAndTooMuchAreRefused) {
  TranslateOptions none;
  none.search.beam = 0;
  EXPECT_THROW(translate({"a"}, none), Error);
  none.search.beam = 3;
  none.n_best = 0;
  EXPECT_THROW(translate({"a"}, none), Error);
  TranslateOptions much;
  much.batch_tokens = 1 << 24;
  much.search.beam = 64;
  EXPECT_NO_THROW(translate({"a"}, much));
  much.search.beam = 65;
  EXPECT_THROW(translate({"a"}, much), InputError);
  much.search.sample = true;  // which draws n_best, and has no beam
  EXPECT_NO_THROW(translate({"a"}, much));
}

TEST_F(TranslatorTest, IdsOutsideTheVocabularyAreRefused) {
  Context c(1);
  const auto decoder = model_.step_decoder();
  for (const int32_t id : {-1, 11, 1 << 30}) {
    const std::vector<std::vector<int32_t>> source = {{id, kEndToken}}, good = {{3, kEndToken}};
    EXPECT_THROW(search(c, *decoder, make_field(source), {}), InputError) << id;
    EXPECT_THROW(model_.loss(c, make_field(good), make_field(source), LossOptions{}), InputError) << id;
    EXPECT_THROW(model_.loss(c, make_field(source), make_field(good), LossOptions{}), InputError) << id;
  }
  EXPECT_THROW(text_.target->vocabulary().word(11), InputError);
  EXPECT_THROW(text_.target->vocabulary().word(-1), InputError);
}

class FewPositions : public TranslatorTest {
 protected:
  FewPositions() : TranslatorTest(4) {}
};

// Learned positions end: sources are cut there, and outputs end there.
TEST_F(FewPositions, EndSourcesAndOutputs) {
  TranslateOptions options;
  options.search.min_length = 4;
  for (const Translation& translation : translate({"a b c d e f g h", "a"}, options)) {
    EXPECT_LE(translation.source_pieces.size(), 3u);
    EXPECT_LE(translation.hypotheses[0].token_log_probs.size(), 4u);
  }
}

}  // namespace
}  // namespace heed
