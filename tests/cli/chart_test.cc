// heed chart: tables that it draws, and what it says of those that it cannot.
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/process.h"
#include "tests/support/temporary_folder.h"

namespace heed::test {
namespace {

class Chart : public ::testing::Test {
 protected:
  Result draw(const std::string& table, std::vector<std::string> more = {},
              const std::string& picture = "out.svg") {
    write_file(folder_.path("table.tsv"), table);
    std::vector<std::string> words = {"chart", folder_.path("table.tsv"), "-o", folder_.path(picture)};
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

TEST_F(Chart, LogarithmicAxesNeedPositiveNumbers) {
  const std::string table = "update\tloss\n0\t3.5\n100\t0\n200\t-\n";
  EXPECT_EQ(draw(table).code, 0);
  const std::pair<const char*, const char*> wrong[] = {
      {"--logarithmic-y", "table.tsv:3: \"loss\" is 0; a logarithmic axis needs numbers above 0"},
      {"--logarithmic-x", "table.tsv:2: \"update\" is 0; a logarithmic axis needs numbers above 0"}};
  for (const auto& [option, message] : wrong) {
    const Result result = draw(table, {option});
    EXPECT_EQ(result.code, 2) << option;
    EXPECT_NE(result.errors.find(message), std::string::npos) << result.errors;
    const Result bars = draw(table, {option, "--bars"});
    EXPECT_EQ(bars.code, 2) << option;
    EXPECT_NE(bars.errors.find(std::string("leave ") + option + " out"), std::string::npos) << bars.errors;
  }
  EXPECT_EQ(draw("x\ty\n1\t2\n10\t-\n", {"--logarithmic-x", "--logarithmic-y"}).code, 0);
}

TEST_F(Chart, OtherScriptsInAPngAreTold) {
  const std::string latin = "Größe\tœuvre – 1 µs …\n1\t2.5\n", other = "дом\tb\n1\t2\n";
  EXPECT_EQ(draw(latin, {}, "out.png").errors, "");
  EXPECT_EQ(draw(other, {}, "out.svg").errors, "");
  const std::string told = draw(other, {}, "out.png").errors;
  EXPECT_NE(told.find("out.png: characters outside Latin script are transliterated"), std::string::npos)
      << told;
  EXPECT_EQ(std::count(told.begin(), told.end(), '\n'), 1) << told;
}

TEST_F(Chart, WrongTablesAreNamedByLine) {
  const std::pair<const char*, const char*> wrong[] = {
      {"", "an empty table"},
      {"x\n1\n", "one column"},
      {"x\ty\n", "no lines"},
      {"x\ty\n1\t2\n3\n", "table.tsv:3: 1 cells, but 2 columns"},
      {"x\ty\n1\ttwo\n", "table.tsv:2: expected a number, found \"two\" in column \"y\""},
      {"x\ty\n1\t2\n2\t-1.7e308\n",
       "table.tsv:3: \"y\" is -1.7e308, too large or too small to be drawn; numbers reach to"},
      {"x\ty\n1e999\t2\n", "table.tsv:2: \"x\" is 1e999, too large or too small"},
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
