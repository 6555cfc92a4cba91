// The registry is complete, and docs/ops.md says what it says.
#include "tests/ops/registry.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <regex>
#include <set>

#include "heed/base/file.h"

namespace heed::test {
namespace {

const std::string kOpsFolder = HEED_SOURCE_DIR "/src/heed/ops";
const std::string kPage = HEED_SOURCE_DIR "/docs/ops.md";

// "header: function" of the functions that a header declares: those outside of any class whose first argument
// is the context.
std::set<std::string> ops_declared_in(const std::string& header) {
  static const std::regex kFunction(R"((?:^|\n)[A-Za-z][\w:<> ]*[\s>](\w+)\(Context& )");
  const std::string text = read_file(kOpsFolder + "/" + header);
  std::set<std::string> found;
  for (auto match = std::sregex_iterator(text.begin(), text.end(), kFunction);
       match != std::sregex_iterator(); ++match) {
    found.insert(header + ": " + (*match)[1].str());
  }
  return found;
}

TEST(OpRegistry, ListsEveryOpOfTheHeadersAndNoOther) {
  std::set<std::string> declared, registered;
  for (const std::string& name : list_folder(kOpsFolder)) {
    if (name.ends_with(".h")) declared.merge(ops_declared_in(name));
  }
  for (const Op& op : registered_ops()) registered.insert(op.header + ": " + op.name);
  EXPECT_EQ(declared, registered) << "docs/how-to-add-an-op.md says how an op gets its case";
  EXPECT_GE(declared.size(), 13u);  // the pattern still finds what it should
}

TEST(OpRegistry, EveryOpHasACase) {
  std::set<std::string> names;
  for (const Op& op : registered_ops()) {
    EXPECT_FALSE(op.cases.empty()) << op.name;
    for (const OpCase& op_case : op.cases) {
      EXPECT_TRUE(names.insert(op.name + ", " + op_case.name).second) << op.name << ", " << op_case.name;
    }
  }
}

// With HEED_WRITE_DOCS=1 in the environment a page that differs is written; it is right from the next run on.
TEST(OpRegistry, ThePagesTableIsTheRegistrys) {
  const std::string begin = "<!-- the table is generated; see how-to-add-an-op.md -->\n",
                    end = "<!-- end -->\n";
  const std::string page = read_file(kPage);
  const size_t from = page.find(begin), to = page.find(end);
  ASSERT_TRUE(from != std::string::npos && to != std::string::npos && from < to) << kPage;
  const std::string expected = page.substr(0, from + begin.size()) + op_table() + page.substr(to);
  if (page != expected && std::getenv("HEED_WRITE_DOCS") != nullptr) {
    write_file(kPage, expected);
    FAIL() << kPage << ": written; run again";
  }
  EXPECT_EQ(page, expected)
      << "run heed_test_ops --gtest_filter='OpRegistry.*' with HEED_WRITE_DOCS=1 to write it";
}

}  // namespace
}  // namespace heed::test
