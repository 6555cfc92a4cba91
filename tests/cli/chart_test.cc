// heed chart: tables that it draws, and what it says of those that it cannot.
#include <gtest/gtest.h>

#include "tests/support/process.h"
#include "tests/support/temporary_folder.h"

namespace heed::test {
namespace {

class Chart : public ::testing::Test {
 protected:
  Result draw(const std::string& table, std::vector<std::string> more = {}) {
    write_file(folder_.path("table.tsv"), table);
    std::vector<std::string> words = {"chart", folder_.path("table.tsv"), "-o", folder_.path("out.svg")};
    words.insert(words.end(), more.begin(), more.end());
    return run_heed(words);
  }
  std::string drawn() { return read_file(folder_.path("out.svg")); }

  TemporaryFolder folder_;
};

TEST_F(Chart, CurvesAreNamedWhereTheyEnd) {
  const Result result = draw("update\tplain\tguided\n100\t3.5\t2.5\n200\t-\t1.25\n", {"--title", "Loss"});
  ASSERT_EQ(result.code, 0) << result.errors;
  for (const char* text : {"Loss", "plain", "guided", "update 200: 1.25"})
    EXPECT_NE(drawn().find(text), std::string::npos) << text;
  EXPECT_EQ(drawn().find("update 200: 0"), std::string::npos);
}

TEST_F(Chart, BarsHaveGroupsAndSpreads) {
  const Result result =
      draw("run\tBLEU\tBLEU low\tBLEU high\nforced\t30\t29\t31\ndrawn\t32.5\t32\t33\n", {"--bars"});
  ASSERT_EQ(result.code, 0) << result.errors;
  for (const char* text : {"forced", "BLEU, drawn: 32.5"})
    EXPECT_NE(drawn().find(text), std::string::npos) << text;
  EXPECT_EQ(drawn().find("BLEU low"), std::string::npos);
}

TEST_F(Chart, WrongTablesAreNamedByLine) {
  const std::pair<const char*, const char*> wrong[] = {
      {"", "an empty table"},
      {"x\n1\n", "one column"},
      {"x\ty\n", "no lines"},
      {"x\ty\n1\t2\n3\n", "table.tsv:3: 1 cells, but 2 columns"},
      {"x\ty\n1\ttwo\n", "table.tsv:2: expected a number, found \"two\""},
      {"x\ty\nlow\t2\n", "table.tsv:2: expected a number, found \"low\""},
      {"x\ty\ty\n1\t2\t3\n", "two columns are called \"y\""},
      {"x\ty\ty low\n1\t2\t3\n", "one edge of a spread"}};
  for (const auto& [table, message] : wrong) {
    const Result result = draw(table);
    EXPECT_EQ(result.code, 2) << table;
    EXPECT_NE(result.errors.find(message), std::string::npos) << result.errors;
  }
}

}  // namespace
}  // namespace heed::test
