#include "heed/text/unicode.h"

#include <gtest/gtest.h>

namespace heed {
namespace {

TEST(Unicode, SplitsAtAsciiSpaceOnly) {
  EXPECT_EQ(split_words("  a\tb \r\n c "), (std::vector<std::string_view>{"a", "b", "c"}));
  EXPECT_EQ(split_words("no\u00A0break"), (std::vector<std::string_view>{"no\u00A0break"}));
  EXPECT_TRUE(split_words(" \t ").empty());
}

TEST(Unicode, LowersAndNormalises) {
  EXPECT_EQ(lowercase("ÄRGER Straße ΑΣ"), "ärger straße ας");
  EXPECT_EQ(lowercase(""), "");
  EXPECT_EQ(normalise("a\u0308", NormalForm::kNfc), "ä");
  EXPECT_EQ(normalise("a\u0308", NormalForm::kNone), "a\u0308");
  EXPECT_EQ(normalise("ﬁ ①", NormalForm::kNfkc), "fi 1");
}

}  // namespace
}  // namespace heed
