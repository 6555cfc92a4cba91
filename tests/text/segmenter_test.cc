#include "heed/text/segmenter.h"

#include <gtest/gtest.h>

#include "heed/base/error.h"
#include "heed/text/line_reader.h"
#include "heed/text/sentencepiece.h"

namespace heed {
namespace {

using Strings = std::vector<std::string>;

const std::string kFixtures = HEED_SOURCE_DIR "/tests/fixtures/text/";

Strings lines_of(const std::string& path) {
  LineReader reader(path);
  Strings lines;
  for (std::string line; reader.next(line);) lines.push_back(line);
  return lines;
}

std::string content_of(const std::string& path) {
  std::string content;
  for (const std::string& line : lines_of(path)) content += line + "\n";
  return content;
}

// The pieces with one space between them; white space at a line's ends, which apply-bpe keeps, is dropped.
std::string trimmed(const std::string& line) {
  const size_t begin = line.find_first_not_of(' ');
  return begin == line.npos ? "" : line.substr(begin, line.find_last_not_of(' ') - begin + 1);
}

void expect_bpe(const std::string& codes, const std::string& text, const std::string& expected) {
  const auto bpe = make_bpe_segmenter(content_of(codes), codes);
  const Strings in = lines_of(text), out = lines_of(expected);
  ASSERT_EQ(in.size(), out.size());
  ASSERT_FALSE(in.empty());
  for (size_t i = 0; i < in.size(); ++i) {
    const Strings pieces = bpe->split(in[i]);
    std::string joined;
    for (const std::string& piece : pieces) joined += (joined.empty() ? "" : " ") + piece;
    ASSERT_EQ(joined, trimmed(out[i])) << text << ":" << i + 1;
  }
}

TEST(Bpe, MakesWhatApplyBpeMakes) {
  expect_bpe(kFixtures + "tiny.codes", kFixtures + "tiny.test.txt", kFixtures + "tiny.bpe.txt");
  expect_bpe(kFixtures + "old.codes", kFixtures + "tiny.test.txt", kFixtures + "old.bpe.txt");
  // Merges in an order that learn-bpe would not write: a merge may make a pair that ranks before it.
  expect_bpe(kFixtures + "odd.codes", kFixtures + "odd.txt", kFixtures + "odd.bpe.txt");
}

TEST(Bpe, MakesTheTextThatItsCodesWereLearntFrom) {
  expect_bpe(kFixtures + "tiny.codes", kFixtures + "tiny.txt", kFixtures + "tiny.train.bpe.txt");
}

#ifdef HEED_DATA  // cmake -DHEED_DATA=FOLDER
TEST(Bpe, MakesThePublishedMulti30k) {
  const std::string folder = HEED_DATA "/multi30k/";
  const std::pair<std::string, std::string> splits[] = {
      {"train", "train"}, {"val", "valid"}, {"test_2016_flickr", "test.2016"}};
  for (const auto& [text, bpe] : splits)
    for (const std::string language : {"en", "de"})
      expect_bpe(folder + "bpe/codes.gz", folder + text + ".lc.norm.tok." + language + ".gz",
                 folder + "bpe/" + bpe + "." + language + ".gz");
}
#endif

TEST(Bpe, JoinsAndAligns) {
  const auto bpe = make_bpe_segmenter(content_of(kFixtures + "tiny.codes"), "tiny.codes");
  for (const std::string text : {"the lighthouse lights", "längster wärter 日本語", "x"})
    EXPECT_EQ(bpe->join(bpe->split(text)), text);
  const Strings pieces = {"a@@", "b", "c", "d@@", "e@@", "f"};
  EXPECT_EQ(bpe->join(pieces), "ab c def");
  EXPECT_EQ(bpe->join(Strings{"a", "b@@"}), "a b");
  EXPECT_EQ(bpe->words(pieces), (std::vector<int32_t>{0, 0, 1, 2, 2, 2}));
  EXPECT_TRUE(bpe->split("").empty());
  EXPECT_TRUE(bpe->split("   ").empty());
}

// A quadratic search would not come back from this.
TEST(Bpe, CutsAWordAsLongAsALineMayBe) {
  const auto bpe = make_bpe_segmenter(content_of(kFixtures + "tiny.codes"), "tiny.codes");
  std::string word;
  while (word.size() < 900'000) word += "lighthousekeeperlängste";
  const Strings pieces = bpe->split(word);
  EXPECT_LT(pieces.size(), word.size() / 2);
  EXPECT_EQ(bpe->join(pieces), word);
}

TEST(Bpe, RefusesBadCodes) {
  const auto error_of = [](const std::string& codes) -> std::string {
    try {
      make_bpe_segmenter(codes, "c");
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(error_of("#version: 0.2\r\na b\r\n"), "no error");
  EXPECT_NE(error_of("#version: 0.2\na b\na b c\n").find("c:3: \"a b c\" found"), std::string::npos);
  EXPECT_NE(error_of("#version: 0.2\na b\nab\n").find("c:3:"), std::string::npos);
  EXPECT_NE(error_of("#version: 0.3\na b\n").find("c:1: codes of version \"0.3\""), std::string::npos);
  EXPECT_NE(error_of("").find("no merges"), std::string::npos);
  EXPECT_NE(error_of("#version: 0.2\na \xFF\n").find("c:2: invalid UTF-8"), std::string::npos);
}

TEST(Words, SplitJoinAlign) {
  const auto words = make_word_segmenter();
  EXPECT_EQ(words->split("  the  cat\tsat "), (Strings{"the", "cat", "sat"}));
  EXPECT_EQ(words->join(Strings{"the", "cat"}), "the cat");
  EXPECT_EQ(words->words(Strings{"the", "cat"}), (std::vector<int32_t>{0, 1}));
}

TEST(Words, PunctuationStandsApartOrIsDropped) {
  const std::string text = "Don't (ever) go\u2014it's 5%! caf\u00e9 e\u0301 ... \u65e5\u672c\u3002";
  EXPECT_EQ(make_word_segmenter(Punctuation::kApart)->split(text),
            (Strings{"Don't", "(", "ever", ")", "go", "\u2014", "it's", "5", "%", "!", "caf\u00e9", "e\u0301",
                     ".", ".", ".", "\u65e5\u672c", "\u3002"}));
  EXPECT_EQ(make_word_segmenter(Punctuation::kDrop)->split(text),
            (Strings{"Don't", "ever", "go", "it's", "5", "caf\u00e9", "e\u0301", "\u65e5\u672c"}));
  EXPECT_TRUE(make_word_segmenter(Punctuation::kDrop)->split(" ... -- ! ").empty());
}

TEST(Characters, SplitJoinAlign) {
  const auto characters = make_character_segmenter();
  const Strings pieces = {"ä", "b", "▁", "日"};
  EXPECT_EQ(characters->split(" äb  日 "), pieces);
  EXPECT_EQ(characters->join(pieces), "äb 日");
  EXPECT_EQ(characters->words(pieces), (std::vector<int32_t>{0, 0, 1, 1}));
}

SentenceStream stream_of(Strings sentences) {
  return [sentences = std::move(sentences), next = size_t{0}](std::string& sentence) mutable {
    if (next == sentences.size()) return false;
    sentence = sentences[next++];
    return true;
  };
}

TEST(SentencePiece, LearnsSplitsAndJoins) {
  const Strings corpus = lines_of(kFixtures + "tiny.txt");
  for (const bool unigram : {true, false}) {
    SentencePieceOptions options;
    options.unigram = unigram;
    options.vocabulary = 60;
    options.reserved = {"<mask>"};
    const std::string bytes = train_sentencepiece(options, stream_of(corpus), "tiny.txt");
    EXPECT_EQ(bytes, train_sentencepiece(options, stream_of(corpus), "tiny.txt")) << "not deterministic";
    const SentencePieceModel model = load_sentencepiece(bytes, "m.spm", {"<mask>"});
    EXPECT_EQ(model.vocabulary.size(), 60);
    EXPECT_EQ(model.vocabulary.word(Vocabulary::kEnd), "</s>");
    EXPECT_EQ(model.vocabulary.reserved_id("<mask>"), 3);
    EXPECT_EQ(model.segmenter->serialised(), bytes);
    for (const std::string& text : corpus)
      EXPECT_EQ(model.segmenter->join(model.segmenter->split(text)), text);

    const Strings pieces = model.segmenter->split("the Ω </s> lamp");
    std::string all;
    for (const std::string& piece : pieces) all += piece;
    EXPECT_EQ(all, "▁the▁Ω▁</s>▁lamp");  // the unknown keeps its own text
    for (const std::string& piece : pieces)
      EXPECT_FALSE(model.vocabulary.is_reserved(model.vocabulary.id(piece)) &&
                   model.vocabulary.id(piece) != Vocabulary::kUnknown)
          << piece;
    // No-break and ideographic spaces and tabs are blanks.
    EXPECT_EQ(model.segmenter->split("the\u00A0Ω\t</s>\u3000lamp"), pieces);
    EXPECT_TRUE(model.segmenter->split("\t\u00A0").empty());
    EXPECT_EQ(model.segmenter->words(pieces).back(), 3);
    EXPECT_EQ(model.segmenter->join(Strings{"▁la", "mp", "▁quokka", "<unk>", "s"}), "lamp quokka ⁇ s");
  }
}

std::string training_error(int64_t vocabulary, Strings corpus) {
  SentencePieceOptions options;
  options.vocabulary = vocabulary;
  try {
    train_sentencepiece(options, stream_of(std::move(corpus)), "tiny.txt");
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(SentencePiece, SaysWhatIsPossible) {
  const Strings corpus = lines_of(kFixtures + "tiny.txt");
  const std::string high = training_error(100'000, corpus);
  EXPECT_NE(
      high.find("text.vocabulary: 100000 pieces are more than tiny.txt gives; the highest possible is "),
      std::string::npos)
      << high;
  const int64_t highest = std::stoll(high.substr(high.rfind(' ')));
  EXPECT_EQ(training_error(highest, corpus), "no error");
  EXPECT_NE(training_error(10, corpus).find("too few for the characters of tiny.txt; at least "),
            std::string::npos);
  EXPECT_NE(training_error(10, {"", "  "}).find("tiny.txt: no words"), std::string::npos);
}

// Of what it takes for blanks only, SentencePiece would end the process.
TEST(SentencePiece, CorporaWithNothingToLearnFromAreRefused) {
  for (const Strings& blank : {Strings{"\u3000", "\u00A0 \u3000"}, {"\u2581", " \u2581\u3000\u2581"}})
    EXPECT_EQ(training_error(10, blank), "tiny.txt: no words to learn pieces from; the corpus is empty");
  const std::string marked = training_error(10, {"\u2585", "a \u2585 b", "\u3000"});
  EXPECT_NE(marked.find("every line with words has \u2585 (U+2585)"), std::string::npos) << marked;
  Strings mixed = lines_of(kFixtures + "tiny.txt");
  mixed.insert(mixed.end(), {"\u2585", "\u3000", "\u2581"});
  EXPECT_EQ(training_error(60, mixed), "no error");
}

TEST(SentencePiece, TakesFewerPiecesWhereThatIsAllowed) {
  SentencePieceOptions options;
  options.vocabulary = 8000;
  options.exact = false;
  const std::string bytes =
      train_sentencepiece(options, stream_of(lines_of(kFixtures + "tiny.txt")), "tiny.txt");
  const SentencePieceModel model = load_sentencepiece(bytes, "m.spm");
  EXPECT_LT(model.vocabulary.size(), 8000);
  EXPECT_GT(model.vocabulary.size(), 30);
}

// Pieces for bytes can write any: an output stays one line of text.
TEST(SentencePiece, ByteFallbackCannotBreakLines) {
  SentencePieceOptions options;
  options.vocabulary = 400;
  options.exact = false;
  options.byte_fallback = true;
  const SentencePieceModel model = load_sentencepiece(
      train_sentencepiece(options, stream_of(lines_of(kFixtures + "tiny.txt")), "tiny.txt"), "m.spm");
  EXPECT_EQ(model.segmenter->join(Strings{"▁a", "<0x0A>", "<0xCE>", "<0xA9>", "<0x0D>", "<0x00>", "b"}),
            "a Ω  b");
}

TEST(SentencePiece, RefusesOtherBytes) {
  EXPECT_THROW(load_sentencepiece("", "m.spm"), InputError);
  EXPECT_THROW(load_sentencepiece("garbage", "m.spm"), InputError);
  SentencePieceOptions options;
  options.vocabulary = 60;
  const std::string bytes =
      train_sentencepiece(options, stream_of(lines_of(kFixtures + "tiny.txt")), "tiny.txt");
  EXPECT_THROW(load_sentencepiece(bytes, "m.spm", {"<mask>"}), InputError);
  EXPECT_THROW(load_sentencepiece(bytes.substr(0, bytes.size() / 2), "m.spm"), InputError);
  // Rules of normalisation, followed unseen: normalizer_spec (3) and denormalizer_spec (5), their field 2.
  for (const char field : {'\x1a', '\x2a'}) {
    const std::string rules = std::string(1, field) + "\x06\x12\x04" + std::string("\xff\xff\xff\x7f", 4);
    EXPECT_THROW(load_sentencepiece(bytes + rules, "m.spm"), InputError);
  }
}

}  // namespace
}  // namespace heed
