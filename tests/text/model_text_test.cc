#include <gtest/gtest.h>

#include <thread>

#include "heed/base/config_yaml.h"
#include "heed/base/error.h"
#include "heed/text/line_reader.h"
#include "heed/text/text_processor.h"

namespace heed {
namespace {

using Strings = std::vector<std::string>;

// A source column, a target column; both: one after the other.
OpenSentences corpus_of(const Strings& source, const Strings& target) {
  return [=](TextSide side) -> SentenceStream {
    Strings sentences = side == TextSide::kTarget ? target : source;
    if (side == TextSide::kBoth) sentences.insert(sentences.end(), target.begin(), target.end());
    return [sentences, next = size_t{0}](std::string& sentence) mutable {
      if (next == sentences.size()) return false;
      sentence = sentences[next++];
      return true;
    };
  };
}

const Strings kSource = {"the little lamp", "the lighthouse keeper lights the lamp", "A lamp"};
const Strings kTarget = {"die kleine lampe", "der wärter zündet die lampe an", "Eine lampe"};

// Built, saved and loaded again, it encodes and decodes the same.
void expect_round_trip(const TextConfig& config) {
  const ModelText built = ModelText::build(config, corpus_of(kSource, kTarget), "corpus");
  const TextFiles files = built.save(config);
  const ModelText text = ModelText::load(config, files, "folder");
  EXPECT_EQ(text.save(config), files);
  EXPECT_EQ(text.shared(), config.is_shared());
  for (const std::string& sentence : kSource) {
    const std::vector<int32_t> ids = text.source->encode(sentence);
    EXPECT_EQ(ids, built.source->encode(sentence));
    EXPECT_EQ(ids.back(), Vocabulary::kEnd);
    EXPECT_EQ(text.source->decode(ids), sentence);
  }
  for (const std::string& sentence : kTarget)
    EXPECT_EQ(text.target->decode(text.target->encode(sentence)), sentence);
  for (const auto& [name, content] : files) {
    TextFiles fewer = files;
    fewer.erase(name);
    EXPECT_THROW(ModelText::load(config, fewer, "folder"), InputError) << name;
  }
}

TEST(ModelText, EveryKindSurvivesSaving) {
  for (const TextKind kind :
       {TextKind::kSentencePiece, TextKind::kBpe, TextKind::kWords, TextKind::kCharacters})
    for (const bool shared : {true, false}) {
      TextConfig config;
      config.kind = kind;
      config.shared = shared;
      config.codes = HEED_SOURCE_DIR "/tests/fixtures/text/tiny.codes";
      expect_round_trip(config);
    }
  TextConfig pronunciation;
  pronunciation.kind = TextKind::kCharacters;
  pronunciation.target_kind = TargetKind::kWords;
  expect_round_trip(pronunciation);
}

TEST(ModelText, LowersAndNormalisesBeforeItCuts) {
  TextConfig config;
  config.kind = TextKind::kWords;
  config.lowercase = true;
  config.normal_form = NormalForm::kNfc;
  const ModelText text = ModelText::build(config, corpus_of(kSource, kTarget), "corpus");
  EXPECT_EQ(text.source->decode(text.source->encode("THE LAMP a\u0308")), "the lamp <unk>");
  EXPECT_EQ(text.source->split("a\u0308"), (Strings{"ä"}));
}

// A script of many characters, without blanks: each of them is a piece.
TEST(ModelText, TheDefaultSuitsManyCharacters) {
  std::vector<std::string> lines(60);
  for (int i = 0; i < 1200; ++i) {
    const int code = 0x4E00 + i;
    lines[static_cast<size_t>(i % 60)] +=
        {static_cast<char>(0xE0 | (code >> 12)), static_cast<char>(0x80 | (code >> 6 & 63)),
         static_cast<char>(0x80 | (code & 63))};
  }
  const ModelText text = ModelText::build(TextConfig(), corpus_of(lines, lines), "corpus");
  EXPECT_GE(text.source->vocabulary().size(), 1203);
}

TEST(ModelText, UnknownPiecesKeepTheirTextUntilTheyAreIds) {
  TextConfig config;
  config.kind = TextKind::kWords;
  config.shared = false;
  config.vocabulary = 5;  // </s> <unk> <s> and the two most frequent
  const ModelText text = ModelText::build(config, corpus_of(kSource, kTarget), "corpus");
  EXPECT_EQ(text.source->vocabulary().serialised(), "</s>\n<unk>\n<s>\nlamp\nthe\n");
  const Strings pieces = text.source->split("the new lamp");
  EXPECT_EQ(pieces, (Strings{"the", "new", "lamp"}));
  EXPECT_EQ(text.source->ids(pieces), (std::vector<int32_t>{4, 1, 3}));
  EXPECT_EQ(text.source->decode(std::vector<int32_t>{2, 4, 1, 0, 3}), "the <unk>");
  EXPECT_THROW(text.source->decode(std::vector<int32_t>{5}), InputError);
  EXPECT_THROW(text.source->split("\xFF"), InputError);
}

TEST(ModelText, JoinsPiecesToWords) {
  TextConfig config;
  const ModelText text = ModelText::build(config, corpus_of(kSource, kTarget), "corpus");
  const Strings pieces = text.source->split("the lighthouse Ω lamp");
  const WordPieces words = text.source->words(pieces);
  EXPECT_EQ(words.words, (Strings{"the", "lighthouse", "Ω", "lamp"}));
  ASSERT_EQ(words.word_of_piece.size(), pieces.size());
  EXPECT_EQ(words.word_of_piece.back(), 3);

  config.kind = TextKind::kCharacters;
  const ModelText characters = ModelText::build(config, corpus_of(kSource, kTarget), "corpus");
  EXPECT_EQ(characters.source->words(characters.source->split("ab c")).words, (Strings{"ab", "c"}));
}

TEST(ModelText, WordsKeepTheirPunctuationOnlyWhereAsked) {
  TextConfig config;
  config.kind = TextKind::kWords;
  config.punctuation = Punctuation::kDrop;
  config.lowercase = true;
  const ModelText built = ModelText::build(config, corpus_of({"Good, good!"}, {"bad"}), "corpus");
  const ModelText text = ModelText::load(config, built.save(config), "folder");
  EXPECT_EQ(text.source->vocabulary().size(), 5);
  EXPECT_EQ(text.source->encode("GOOD (good)"), built.source->encode("good good"));
}

TEST(ModelText, Classifies) {
  TextConfig config;
  config.kind = TextKind::kWords;
  config.target_kind = TargetKind::kLabel;
  const ModelText built = ModelText::build(config, corpus_of({"good", "bad"}, {"pos", "neg"}), "corpus");
  const ModelText text = ModelText::load(config, built.save(config), "folder");
  EXPECT_EQ(text.target, nullptr);
  EXPECT_EQ(text.labels.id("neg"), 0);
  EXPECT_EQ(text.labels.id("pos"), 1);
  EXPECT_THROW(ModelText::build(config, corpus_of({"good", "bad"}, {"pos", "pos"}), "corpus"), InputError);
}

TEST(ModelText, ServesManyThreads) {
  for (const TextKind kind : {TextKind::kSentencePiece, TextKind::kBpe}) {
    TextConfig config;
    config.kind = kind;
    config.codes = HEED_SOURCE_DIR "/tests/fixtures/text/tiny.codes";
    const ModelText text = ModelText::build(config, corpus_of(kSource, kTarget), "corpus");
    std::vector<std::string> decoded(4);
    std::vector<std::thread> threads;
    for (std::string& result : decoded)
      threads.emplace_back([&] {
        for (int i = 0; i < 50; ++i) result = text.source->decode(text.source->encode(kSource[1]));
      });
    for (std::thread& thread : threads) thread.join();
    for (const std::string& result : decoded) EXPECT_EQ(result, kSource[1]);
  }
}

TEST(ModelText, IsConfiguredInYaml) {
  TextConfig config;
  read_yaml("kind: characters\ntarget_kind: label\nvocabulary: 16000\nshared: true\nreserved: [<mask>]\n",
            "my.yaml", config);
  EXPECT_EQ(config.kind, TextKind::kCharacters);
  EXPECT_EQ(config.target_kind, TargetKind::kLabel);
  EXPECT_FALSE(config.is_shared());
  EXPECT_EQ(config.reserved, (Strings{"<mask>"}));
  TextConfig again;
  read_yaml(write_yaml(config), "again.yaml", again);
  EXPECT_EQ(write_yaml(again), write_yaml(config));
  EXPECT_THROW(read_yaml("character_coverage: 2\n", "my.yaml", config), InputError);
}

TEST(TextConfig, ReservedWordsAreOfTheirOwn) {
  const auto error_of = [](Strings reserved, bool byte_fallback = false) -> std::string {
    TextConfig config;
    config.reserved = std::move(reserved);
    config.byte_fallback = byte_fallback;
    try {
      config.check();
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  };
  EXPECT_EQ(error_of({"<mask>", "<2de>", "<0x41>", "<S>"}), "no error");
  for (const char* standard : {"<unk>", "<s>", "</s>"})
    EXPECT_EQ(error_of({"<a>", standard}), fmt::format("text.reserved: entry 2, \"{}\", is reserved in every "
                                                       "vocabulary; leave it out",
                                                       standard));
  EXPECT_EQ(error_of({"<a>", "<b>", "<a>"}),
            "text.reserved: entry 3, \"<a>\", is entry 1 as well; leave one of them out");
  EXPECT_NE(error_of({"<0xFF>"}, true).find("entry 1, \"<0xFF>\", is the piece of a byte"),
            std::string::npos);
  for (const std::string& odd :
       {std::string("<a\0b>", 5), std::string("<a\u00A0b>"), std::string("<a\u3000b>"), std::string("<a\rb>"),
        std::string("<a b>"), std::string("<\xFF>")})
    EXPECT_NE(error_of({odd}).find("must look like <mask>"), std::string::npos) << odd;
}

TEST(ModelText, RefusesWhatCannotBe) {
  TextConfig config;
  config.kind = TextKind::kBpe;
  EXPECT_THROW(ModelText::build(config, corpus_of(kSource, kTarget), "corpus"), InputError);  // no codes
  config.kind = TextKind::kWords;
  EXPECT_THROW(ModelText::build(config, corpus_of({}, {}), "corpus"), InputError);
  config.reserved = {"a b"};
  EXPECT_THROW(ModelText::build(config, corpus_of(kSource, kTarget), "corpus"), InputError);
}

}  // namespace
}  // namespace heed
