// heed evaluate, from files to printed lines.
#include <zlib.h>

#include "heed/base/file.h"
#include "heed/cli/commands.h"
#include "heed/metrics/metrics.h"
#include "tests/metrics/fixture.h"
#include "tests/support/temporary_folder.h"

namespace heed {
namespace {

class Evaluate : public testing::Test {
 protected:
  std::string file(const std::string& name, const std::string& text) {
    write_file(folder_.path(name), text);
    return folder_.path(name);
  }
  std::string run(Lines arguments) {
    const std::string out = folder_.path("out");
    arguments.insert(arguments.end(), {"--output", out});
    EXPECT_EQ(cli::evaluate(arguments), 0);
    return read_file(out);
  }
  std::string refusal(const Lines& arguments) {
    try {
      cli::evaluate(arguments);
    } catch (const InputError& error) {
      return error.what();
    }
    return "accepted";
  }

  TemporaryFolder folder_;
};

TEST_F(Evaluate, PrintsALineForEachMetric) {
  const Sentences hypotheses = {"The cat sat.", "It is small."}, references = {"A cat sat.", "It was small."};
  const std::string given = file("hyp", "The cat sat.\nIt is small.\n");
  const std::string meant = file("ref", "A cat sat.\nIt was small.\n");
  std::string expected;
  for (const char* name : {"bleu", "chrf", "ter", "wer"})
    expected += compute_metric(name, hypotheses, {references}).line() + "\n";
  EXPECT_EQ(run({"-i", given, "--reference", meant, "--metric", "bleu,chrf,ter,wer"}), expected);
  EXPECT_EQ(expected.substr(0, 13), "BLEU|nrefs:1|");

  std::string of_sentences;
  for (size_t i = 0; i < 2; ++i)
    for (const char* name : {"bleu", "chrf++"})
      of_sentences += compute_sentence_metric(name, hypotheses, {references})[i].line() + "\n";
  EXPECT_EQ(run({"-i", given, "-r", meant, "--metric", "bleu,chrf++", "--sentence"}), of_sentences);

  const auto json = nlohmann::json::parse(run({"-i", given, "-r", meant, "--json", "--tokenize", "char"}));
  EXPECT_EQ(json["tok"], "char");
}

TEST_F(Evaluate, ReadsGzipAndSeveralReferences) {
  const std::string given = folder_.path("hyp.gz");
  gzFile zipped = gzopen(given.c_str(), "wb");
  gzputs(zipped, "One Two\n");
  gzclose(zipped);
  const Lines arguments = {
      "-i",       given, "--reference", file("a", "two\n"), "--reference", file("b", "one two\n"),
      "--metric", "wer", "--lowercase"};
  EXPECT_EQ(run(arguments),
            "WER|nrefs:2|case:lc|tok:none|pronunciations:no = 0.00 (edits = 0 ref_len = 2)\n");
}

TEST_F(Evaluate, TellsEachClass) {
  const std::string given = file("given", "good\nbad\ngood\n"), meant = file("meant", "good\nbad\nbad\n");
  EXPECT_EQ(run({"-i", given, "-r", meant, "--metric", "accuracy,f1"}),
            "Accuracy|classes:2 = 66.67 (right = 2 lines = 3)\n"
            "F1|classes:2|average:macro = 66.67 (micro = 66.67)\n"
            "  bad: precision 100.00, recall 50.00, F1 66.67, count 2\n"
            "  good: precision 50.00, recall 100.00, F1 66.67, count 1\n");
}

TEST_F(Evaluate, RefusesWrongInputByName) {
  const std::string two = file("two.de", "a\nb\n"), three = file("three.de", "a\nb\nc\n");
  EXPECT_EQ(refusal({"-i", two, "-r", three}),
            two + " has 2 lines but " + three + " has 3; each line needs its reference");
  EXPECT_NE(refusal({"-i", two}).find("--reference"), std::string::npos);
  EXPECT_NE(refusal({"-i", two, "-r", two, "--metric", "chfr"}).find("Did you mean chrf?"),
            std::string::npos);
  EXPECT_NE(refusal({"-i", two, "-r", two, "--metric", ""}).find("--metric needs a value"),
            std::string::npos);
  EXPECT_NE(refusal({"-i", "-", "-r", "-"}).find("once"), std::string::npos);
  const std::string empty = file("empty", "");
  EXPECT_NE(refusal({"-i", empty, "-r", empty}).find("no lines"), std::string::npos);
  EXPECT_NE(refusal({"-i", file("bad", "ok\n\xff\n"), "-r", two}).find("bad:2"), std::string::npos);
}

}  // namespace
}  // namespace heed
