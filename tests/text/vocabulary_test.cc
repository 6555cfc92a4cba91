#include "heed/text/vocabulary.h"

#include <gtest/gtest.h>

#include "heed/base/error.h"

namespace heed {
namespace {

std::string error_of(const std::string& file, std::vector<std::string> reserved = {}) {
  try {
    Vocabulary::parse(file, "v.txt", std::move(reserved));
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

TEST(Vocabulary, SortsByCountThenBytes) {
  const WordCounts counts = {{"b", 3}, {"a", 3}, {"rare", 1}, {"most", 9}, {"ä", 3}};
  const Vocabulary v = Vocabulary::from_counts(counts, 2);
  EXPECT_EQ(v.serialised(), "</s>\n<unk>\n<s>\nmost\na\nb\nä\n");
  EXPECT_EQ(v.id("a"), 4);
  EXPECT_EQ(v.id("rare"), Vocabulary::kUnknown);
  EXPECT_EQ(Vocabulary::from_counts(counts, 1, 5).serialised(), "</s>\n<unk>\n<s>\nmost\na\n");
  EXPECT_THROW(Vocabulary::from_counts(counts, 1, 3), InputError);
}

TEST(Vocabulary, TextNeverGivesReservedWords) {
  const WordCounts counts = {{"</s>", 5}, {"<mask>", 4}, {"a", 1}};
  const Vocabulary v = Vocabulary::from_counts(counts, 1, 0, {"<mask>"});
  EXPECT_EQ(v.size(), 5);
  EXPECT_EQ(v.id("</s>"), Vocabulary::kUnknown);
  EXPECT_EQ(v.id("<mask>"), Vocabulary::kUnknown);
  EXPECT_EQ(v.reserved_id("<mask>"), 3);
  EXPECT_EQ(v.reserved_id("a"), std::nullopt);
  EXPECT_EQ(v.id("a"), 4);
  EXPECT_EQ(v.word(4), "a");
  EXPECT_THROW(v.word(5), InputError);
  EXPECT_THROW(v.word(-1), InputError);
}

TEST(Vocabulary, ReadsWhatItWrote) {
  const Vocabulary v({"<mask>"}, {"a", "tab\tinside", "cr\r", "\u2028", "▁x"});
  const Vocabulary read = Vocabulary::parse(v.serialised(), "v.txt", {"<mask>"});
  EXPECT_EQ(read.serialised(), v.serialised());
  EXPECT_EQ(read.id("cr\r"), 6);
}

TEST(Vocabulary, KnowsTheSameWordsUnderOtherNumbers) {
  const Vocabulary v({"<mask>"}, {"a", "b", "c"}), same({"<mask>"}, {"c", "a", "b"});
  const SameWords numbers = same_words(v, same);
  EXPECT_EQ(numbers.ids, (std::vector<int32_t>{0, 1, 2, 3, 5, 6, 4}));
  EXPECT_EQ(numbers.difference, "");
  EXPECT_EQ(renumbered(std::vector<int32_t>{4, 0, 6}, numbers.ids), (std::vector<int32_t>{5, 0, 4}));
  for (const int32_t outside : {-1, 7})
    EXPECT_THROW(renumbered(std::vector<int32_t>{outside}, numbers.ids), InputError);
  EXPECT_EQ(same_words(v, Vocabulary({"<mask>"}, {"a", "b", "d"})).difference, "it lacks \"c\"");
  EXPECT_EQ(same_words(v, Vocabulary({"<mask>"}, {"a", "b", "c", "d"})).difference, "8, not 7");
  EXPECT_EQ(same_words(v, Vocabulary({}, {"<mask>", "a", "b", "c"})).difference, "it lacks \"<mask>\"");
  EXPECT_EQ(same_words(Vocabulary({}, {"<mask>", "a", "b", "c"}), v).difference, "it lacks \"<mask>\"");
  EXPECT_EQ(same_words(v, Vocabulary({}, {"a", "b", "c"})).difference, "6, not 7; it lacks \"<mask>\"");
}

TEST(Vocabulary, RefusesHostileFiles) {
  EXPECT_EQ(error_of("</s>\n<unk>\n<s>\na"), "no error");
  EXPECT_NE(error_of("").find("v.txt:1: end of file found where the reserved word \"</s>\""),
            std::string::npos);
  EXPECT_NE(error_of("a\nb\n").find("v.txt:1: \"a\""), std::string::npos);
  EXPECT_NE(error_of("</s>\n<unk>\n<s>\na\n", {"<mask>"}).find("v.txt:4: \"a\""), std::string::npos);
  EXPECT_NE(
      error_of("</s>\n<unk>\n<s>\na\nb\na\n").find("v.txt:6: \"a\" occurs a second time, first on line 4"),
      std::string::npos);
  EXPECT_NE(error_of("</s>\n<unk>\n<s>\n\nb\n").find("v.txt:4: an empty line"), std::string::npos);
  EXPECT_NE(error_of("</s>\n<unk>\n<s>\n\xFF\n").find("v.txt:4: invalid UTF-8"), std::string::npos);
  EXPECT_NE(error_of(std::string("</s>\n<unk>\n<s>\n\0\n", 16)).find("v.txt:4: a NUL byte"),
            std::string::npos);
}

TEST(Labels, AreSortedAndChecked) {
  const Labels labels({"pos", "neg"});
  EXPECT_EQ(labels.id("neg"), 0);
  EXPECT_EQ(labels.id("pos"), 1);
  EXPECT_EQ(labels.id("other"), std::nullopt);
  EXPECT_EQ(Labels::parse(labels.serialised(), "labels").name(1), "pos");
  EXPECT_THROW(labels.name(2), InputError);
  EXPECT_THROW(Labels({"a", "a"}), InputError);
  EXPECT_THROW(Labels::parse("zneg\npos\n", "labels"), InputError);  // line 1 was another class
}

}  // namespace
}  // namespace heed
