#include "heed/view/text.h"

#include <gtest/gtest.h>

namespace heed::view {
namespace {

TEST(ViewText, HostileBytesAreReplacedAndEscaped) {
  EXPECT_EQ(escape_markup("<script>\"a\" & 'b'</script>"),
            "&lt;script&gt;&quot;a&quot; &amp; &#39;b&#39;&lt;/script&gt;");
  EXPECT_EQ(clean_text("a\x1b[31m"), "a\uFFFD[31m");
  EXPECT_EQ(clean_text("a\xff\xc3"), "a\uFFFD\uFFFD");
  EXPECT_EQ(clean_text("a\u202Eb"), "a\uFFFDb");  // would turn the text around
  EXPECT_EQ(clean_text(std::string_view("\0\x7f", 2)), "\uFFFD\uFFFD");
  EXPECT_EQ(clean_text("Größe 房子"), "Größe 房子");
}

TEST(ViewText, WidthIsThatOfTheTerminal) {
  EXPECT_EQ(display_width("Haus"), 4);
  EXPECT_EQ(display_width("房子"), 4);
  EXPECT_EQ(display_width("e\u0301te\u0301"), 3);
  EXPECT_EQ(display_width("👩\u200D👧"), 2);
  EXPECT_EQ(pad("房", 4, Align::right), "  房");
  EXPECT_EQ(pad("ab", 5, Align::centre), " ab  ");
  EXPECT_EQ(shorten("房子很小", 5), "房子…");
  EXPECT_EQ(shorten("abcdef", 4, false), "abc~");
  EXPECT_EQ(clusters("e\u0301a"), (std::vector<std::string>{"e\u0301", "a"}));
}

TEST(ViewText, AsciiByTransliteration) {
  EXPECT_EQ(to_ascii("Größe"), "Grosse");
  EXPECT_EQ(to_ascii("дом"), "dom");
  EXPECT_EQ(to_ascii("\xff"), "?");
  EXPECT_EQ(to_upper("größe"), "GRÖSSE");
}

TEST(ViewText, NumbersForPeople) {
  EXPECT_EQ(pretty_number(1234567), "1,234,567");
  EXPECT_EQ(pretty_number(-1234.5, 5), "-1,234.5");
  EXPECT_EQ(pretty_number(0.0634, 3), "0.0634");
  EXPECT_EQ(pretty_number(0), "0");
  EXPECT_EQ(pretty_number(2.5e-5), "2.5e-05");
  EXPECT_EQ(pretty_number(std::numeric_limits<double>::quiet_NaN()), "–");
}

}  // namespace
}  // namespace heed::view
