#include "heed/data/corpus.h"

#include <gtest/gtest.h>

#include <set>

#include "heed/base/config_yaml.h"
#include "heed/base/error.h"
#include "heed/base/file.h"
#include "heed/data/corpus_reader.h"
#include "tests/support/temporary_folder.h"

namespace heed {
namespace {

using Strings = std::vector<std::string>;

class CorpusTest : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& text) {
    write_file(folder_.path(name), text);
    return folder_.path(name);
  }

  CorpusConfig pair(const std::string& source, const std::string& target) {
    CorpusConfig config;
    config.source = write("a.en", source);
    config.target = write("a.de", target);
    return config;
  }

  CorpusConfig tsv(const std::string& text, Strings columns) {
    CorpusConfig config;
    config.tsv = write("a.tsv", text);
    config.columns = std::move(columns);
    return config;
  }

  // Words, one vocabulary, built from the corpus.
  static ModelText words(const CorpusConfig& corpus, TargetKind target = TargetKind::kSame) {
    TextConfig config;
    config.kind = TextKind::kWords;
    config.target_kind = target;
    return ModelText::build(config, open_sentences(corpus), corpus.name());
  }

  template <class Function>
  static std::string error_of(Function function) {
    try {
      function();
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  }

  static std::string reading_error(const CorpusConfig& config) {
    return error_of([&] {
      CorpusReader reader(config);
      while (reader.next()) continue;
    });
  }

  static bool contains(const std::string& text, const std::string& part) {
    return text.find(part) != text.npos;
  }

  TemporaryFolder folder_;
};

TEST_F(CorpusTest, ReadsPairsAndTables) {
  for (const CorpusConfig& config :
       {pair("one\ntwo\n", "eins\nzwei\n"), tsv("eins\tx\tone\nzwei\ty\ttwo\n", {"target", "-", "source"})}) {
    CorpusReader reader(config);
    ASSERT_TRUE(reader.next());
    ASSERT_TRUE(reader.next());
    EXPECT_EQ(reader.source(), "two");
    EXPECT_EQ(reader.target(), "zwei");
    EXPECT_EQ(reader.number(), 2);
    EXPECT_FALSE(reader.next());
  }
}

TEST_F(CorpusTest, StreamsEitherSideOrBoth) {
  const auto all = [](const SentenceStream& stream) {
    Strings sentences;
    for (std::string sentence; stream(sentence);) sentences.push_back(sentence);
    return sentences;
  };
  const OpenSentences open = open_sentences(pair("one\ntwo\n", "eins\nzwei\n"));
  EXPECT_EQ(all(open(TextSide::kSource)), (Strings{"one", "two"}));
  EXPECT_EQ(all(open(TextSide::kTarget)), (Strings{"eins", "zwei"}));
  EXPECT_EQ(all(open(TextSide::kBoth)), (Strings{"one", "eins", "two", "zwei"}));
}

TEST_F(CorpusTest, RefusesFilesThatDoNotFit) {
  const std::string longer = reading_error(pair("1\n2\n3\n4\n", "1\n2\n"));
  EXPECT_TRUE(contains(longer, "a.de has 2 lines") && contains(longer, "a.en has 4")) << longer;
  const std::string shorter = reading_error(pair("1\n", "1\n2\n3"));
  EXPECT_TRUE(contains(shorter, "a.en has 1 lines") && contains(shorter, "a.de has 3")) << shorter;
  EXPECT_TRUE(contains(reading_error(tsv("a\tb\nc\n", {"source", "target"})),
                       "a.tsv:2: 1 columns found, 2 expected"));
  EXPECT_TRUE(contains(reading_error(tsv("a\tb\n", {"source", "tagret"})), "\"tagret\" found"));
  EXPECT_TRUE(contains(reading_error(tsv("a\tb\n", {"-", "target"})), "must name one source"));
  EXPECT_TRUE(contains(reading_error(CorpusConfig{}), "no source file"));
  EXPECT_TRUE(contains(reading_error(pair("a\n\xFF\n", "a\nb\n")), "a.en:2: invalid UTF-8"));
  CorpusConfig both = tsv("a\tb\n", {"source", "target"});
  both.source = "x";
  EXPECT_TRUE(contains(reading_error(both), "give one or the other"));
}

TEST_F(CorpusTest, EncodesAndReports) {
  const CorpusConfig known = pair("a b c\na\n", "x y\nz\n");
  const ModelText text = words(known);
  const CorpusConfig config = pair("a b\n\na b c a b c\na new c\n", "x\ny\nz\nz z new\n");
  CorpusReport report;
  const Corpus corpus = read_corpus(config, text, {4, 4, LongSentences::kSkip}, report);
  ASSERT_EQ(corpus.size(), 2u);
  EXPECT_EQ(corpus.numbers, (std::vector<uint64_t>{1, 4}));
  EXPECT_EQ(corpus.column("source").length(0), 3);
  EXPECT_EQ(corpus.column("source").sentence(1)[1], Vocabulary::kUnknown);
  EXPECT_EQ(corpus.column("target").sentence(0)[1], Vocabulary::kEnd);
  EXPECT_EQ(report.lines, 4);
  EXPECT_EQ(report.kept, 2);
  EXPECT_EQ(report.source_tokens, 7);
  EXPECT_EQ(report.target_tokens, 6);
  EXPECT_EQ(report.empty.first, (std::vector<int64_t>{2}));
  EXPECT_EQ(report.too_long.first, (std::vector<int64_t>{3}));
  EXPECT_EQ(report.unknown.first, (std::vector<int64_t>{4}));
  EXPECT_EQ(report.unknown_tokens, 2);
  const Strings messages = report.messages();
  ASSERT_EQ(messages.size(), 4u);
  EXPECT_TRUE(contains(messages[0], "2 of 4 lines")) << messages[0];
  EXPECT_TRUE(contains(messages[1], "1 skipped: one side is empty (line 2)")) << messages[1];
  EXPECT_THROW(corpus.column("label"), Error);
}

// Random numbers depend on the line that a sentence stands on.
TEST_F(CorpusTest, TheFingerprintKnowsLinesThatWereSkipped) {
  const ModelText text = words(pair("a b\na\n", "x y\nz\n"));
  const auto fingerprint = [&](const std::string& source, const std::string& target) {
    CorpusReport report;
    return read_corpus(pair(source, target), text, {9, 9, LongSentences::kSkip}, report).fingerprint();
  };
  EXPECT_EQ(fingerprint("a b\na\n", "x y\nz\n"), fingerprint("a b\na\n", "x y\nz\n"));
  EXPECT_NE(fingerprint("a b\na\n", "x y\nz\n"), fingerprint("a b\n\na\n", "x y\n\nz\n"));
}

TEST_F(CorpusTest, CutsLongSentencesWhereAsked) {
  const CorpusConfig config = pair("a b c d e\n", "x y z\n");
  CorpusReport report;
  const Corpus corpus = read_corpus(config, words(config), {3, 10, LongSentences::kCut}, report);
  ASSERT_EQ(corpus.size(), 1u);
  EXPECT_EQ(corpus.column("source").length(0), 3);
  EXPECT_EQ(corpus.column("source").sentence(0)[2], Vocabulary::kEnd);
  EXPECT_EQ(corpus.column("target").length(0), 4);
  EXPECT_EQ(report.too_long.count, 1);
}

TEST_F(CorpusTest, ReadsLabels) {
  const CorpusConfig config = tsv("pos\tgood film\nneg\tbad film\n", {"label", "source"});
  const ModelText text = words(config, TargetKind::kLabel);
  CorpusReport report;
  const Corpus corpus = read_corpus(config, text, {}, report);
  EXPECT_EQ(corpus.column("label").ids, (std::vector<int32_t>{1, 0}));
  EXPECT_EQ(corpus.column("source").length(0), 3);
  const CorpusConfig other = tsv("pos\tgood film\nmeh\tbad film\n", {"label", "source"});
  EXPECT_TRUE(contains(error_of([&] { read_corpus(other, text, {}, report); }),
                       "line 2 has the unknown label \"meh\". The model's labels are neg, pos"));
  const CorpusConfig close = tsv("pos\tgood film\npso\tbad film\n", {"label", "source"});
  EXPECT_TRUE(contains(error_of([&] { read_corpus(close, text, {}, report); }), "Did you mean pos?"));
}

TEST_F(CorpusTest, RefusesEmptyCorpora) {
  const ModelText text = words(pair("a\n", "b\n"));
  CorpusReport report, second;
  EXPECT_TRUE(
      contains(error_of([&] { read_corpus(pair("", ""), text, {}, report); }), "the corpus is empty"));
  EXPECT_TRUE(contains(error_of([&] { read_corpus(pair("a\n\n", "\nb\n"), text, {}, second); }),
                       "nothing left of 2 lines: 2 skipped: one side is empty (lines 1, 2)"));
  CorpusReport both;
  EXPECT_TRUE(contains(error_of([&] {
                         read_corpus(pair("a a a\n\n", "b\nb\n"), text, {2, 9}, both);
                       }),
                       "(line 2); 1 skipped: longer than data.max_source_length"));
}

TEST_F(CorpusTest, HoldsOutWhatTrainingNeverSees) {
  std::string source, target;
  for (int i = 0; i < 200; ++i) {
    source += "word" + std::to_string(i % 50) + "\n";  // each source four times
    target += "wort" + std::to_string(i) + "\n";
  }
  DataConfig config;
  config.train = pair(source, target);
  config.held_out = 500;
  const ModelText text = words(config.train);
  const TrainingData data = read_training_data(config, text);
  EXPECT_EQ(data.dev.size(), 10u);  // one in twenty
  EXPECT_EQ(data.train.size(), 160u);
  EXPECT_EQ(data.train_report.kept, 160);
  EXPECT_EQ(data.train_report.source_tokens, 320);
  EXPECT_EQ(data.train_report.of_held_out.count, 30);
  EXPECT_TRUE(contains(data.train_report.messages().back(), "30 left out: their source is that of"));
  EXPECT_EQ(data.dev_report.lines, 10);
  EXPECT_EQ(data.dev_report.target_tokens, 20);
  ASSERT_EQ(data.dev_source.size(), data.dev.size());
  std::set<int32_t> seen;
  for (size_t i = 0; i < data.train.size(); ++i) seen.insert(data.train.column("source").sentence(i)[0]);
  for (size_t i = 0; i < data.dev.size(); ++i) {
    EXPECT_FALSE(seen.contains(data.dev.column("source").sentence(i)[0]));
    EXPECT_EQ(text.source->decode(data.dev.column("source").sentence(i)), data.dev_source[i]);
    EXPECT_EQ(text.target->decode(data.dev.column("target").sentence(i)), data.dev_target[i]);
  }
  config.held_out = 0;
  EXPECT_TRUE(read_training_data(config, text).dev.empty());
}

// One source of half the lines: held out, it would take all of them with it.
TEST_F(CorpusTest, SourcesOfManySentencesStayInTraining) {
  std::string source, target;
  for (int i = 0; i < 200; ++i) {
    source += i % 2 == 0 ? "often\n" : "word" + std::to_string(i) + "\n";
    target += "wort" + std::to_string(i) + "\n";
  }
  DataConfig config;
  config.train = pair(source, target);
  const ModelText text = words(config.train);
  const TrainingData data = read_training_data(config, text);
  EXPECT_EQ(data.dev.size(), 10u);
  EXPECT_EQ(data.train.size(), 190u);
  EXPECT_EQ(std::count(data.dev_source.begin(), data.dev_source.end(), "often"), 0);

  std::string one;
  for (int i = 0; i < 200; ++i) one += "often\n";
  config.train = pair(one, target);
  const TrainingData same = read_training_data(config, text);
  EXPECT_TRUE(same.dev.empty());
  EXPECT_EQ(same.train.size(), 200u);
}

TEST_F(CorpusTest, KeepsTheTextOfDevBesideItsSentences) {
  DataConfig config;
  config.train = pair("a\nb\n", "x\ny\n");
  const ModelText text = words(config.train);
  config.dev = tsv("a\tx\n\ty\nb\ty\n", {"source", "target"});
  const TrainingData data = read_training_data(config, text);
  EXPECT_EQ(data.train.size(), 2u);
  EXPECT_EQ(data.dev_source, (Strings{"a", "b"}));
  EXPECT_EQ(data.dev_target, (Strings{"x", "y"}));
  EXPECT_EQ(data.dev_report.empty.count, 1);
}

TEST_F(CorpusTest, IsConfiguredInYaml) {
  DataConfig config;
  read_yaml(
      "train: {source: corpus.en.gz, target: corpus.de.gz}\n"
      "dev: {tsv: dev.tsv, columns: [label, \"-\", source]}\n"
      "longer: cut\n",
      "my.yaml", config);
  EXPECT_EQ(config.train.name(), "corpus.en.gz, corpus.de.gz");
  EXPECT_EQ(config.dev.columns, (Strings{"label", "-", "source"}));
  EXPECT_EQ(config.longer, LongSentences::kCut);
  DataConfig again;
  read_yaml(write_yaml(config), "again.yaml", again);
  EXPECT_EQ(write_yaml(again), write_yaml(config));
}

}  // namespace
}  // namespace heed
