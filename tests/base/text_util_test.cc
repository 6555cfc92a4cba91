#include "heed/base/text_util.h"

#include <gtest/gtest.h>

namespace heed {
namespace {

TEST(TextUtil, EditDistanceCountsASwapOnce) {
  EXPECT_EQ(edit_distance("", ""), 0u);
  EXPECT_EQ(edit_distance("abc", ""), 3u);
  EXPECT_EQ(edit_distance("", "abc"), 3u);
  EXPECT_EQ(edit_distance("kitten", "sitting"), 3u);
  EXPECT_EQ(edit_distance("widht", "width"), 1u);
  EXPECT_EQ(edit_distance("abcd", "badc"), 2u);
}

TEST(TextUtil, NearestIsNearOrNothing) {
  const std::vector<std::string> names = {"width", "heads", "depth"};
  EXPECT_EQ(nearest("widht", names), "width");
  EXPECT_EQ(nearest("dept", names), "depth");
  EXPECT_EQ(nearest("zzzzz", names), std::nullopt);
  EXPECT_EQ(nearest("", names), std::nullopt);
  EXPECT_EQ(nearest(std::string(100000, 'w'), names), std::nullopt);
  EXPECT_EQ(nearest("WIDTH", names), "width");
  EXPECT_EQ(nearest("Widht", names), "width");
  const std::vector<std::string> alike = {"Bad", "bad", "BAD"};
  EXPECT_EQ(nearest("bAD", alike), "BAD");
  EXPECT_EQ(nearest("bad", alike), "bad");
}

TEST(TextUtil, QuotedIsShortAndPrintable) {
  EXPECT_EQ(in_quotes("abc"), "\"abc\"");
  EXPECT_EQ(in_quotes("a\nb\x7f"), "\"a\\x0ab\\x7f\"");
  EXPECT_EQ(in_quotes("abcdef", 3), "\"abc\"...");
  EXPECT_EQ(in_quotes("ab\xc3\xa4", 3), "\"ab\"...");  // never half a character
  EXPECT_EQ(in_quotes("\xc3\xa4"), "\"\xc3\xa4\"");
  EXPECT_EQ(in_quotes("\xff"), "\"\\xff\"");
}

TEST(TextUtil, SplitAndJoin) {
  EXPECT_EQ(split("a.b", '.'), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(split("", '.'), std::vector<std::string>{""});
  EXPECT_EQ(split("a.", '.'), (std::vector<std::string>{"a", ""}));
  EXPECT_EQ(joined(split("a,b,c", ',')), "a, b, c");
  EXPECT_EQ(joined(std::vector<std::string>{}), "");
}

TEST(TextUtil, InvalidUtf8IsFoundWhereItBegins) {
  const auto valid = std::string_view::npos;
  EXPECT_EQ(find_invalid_utf8(""), valid);
  EXPECT_EQ(find_invalid_utf8("aä€𝄞\xf4\x8f\xbf\xbf"), valid);
  EXPECT_EQ(find_invalid_utf8("a\x80"), 1u);
  EXPECT_EQ(find_invalid_utf8("a\xc3"), 1u);
  EXPECT_EQ(find_invalid_utf8("a\xc3(b"), 1u);
  EXPECT_EQ(find_invalid_utf8("\xc0\xaf"), 0u);          // overlong
  EXPECT_EQ(find_invalid_utf8("\xe0\x9f\xbf"), 0u);      // overlong
  EXPECT_EQ(find_invalid_utf8("ab\xed\xa0\x80"), 2u);    // surrogate
  EXPECT_EQ(find_invalid_utf8("\xf4\x90\x80\x80"), 0u);  // above U+10FFFF
  EXPECT_EQ(find_invalid_utf8("\xf5\x80\x80\x80"), 0u);
}

}  // namespace
}  // namespace heed
