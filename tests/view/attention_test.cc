#include "heed/view/attention.h"

#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>

#include "heed/base/error.h"
#include "heed/base/file.h"
#include "heed/view/heat_map.h"
#include "tests/support/temporary_folder.h"
#include "tests/view/markup.h"

namespace heed::view {
namespace {

// The worked example of the documentation: three queries over three inputs, dot scores, softmax.
AttentionMap worked_example() {
  const float keys[3][3] = {{0, 1, 1}, {4, 4, 0}, {2, 3, 1}},
              queries[3][3] = {{1, 0, 2}, {2, 2, 2}, {2, 1, 3}};
  AttentionMap map{{"one", "two", "three"}, {"first", "second", "third"}, {{"dot", {}}}, false};
  for (const auto& query : queries) {
    double scores[3], sum = 0;
    for (int s = 0; s < 3; ++s) {
      scores[s] = 0;
      for (int i = 0; i < 3; ++i) scores[s] += query[i] * keys[s][i];
      sum += std::exp(scores[s]);
    }
    for (const double score : scores)
      map.heads[0].weights.push_back(static_cast<float>(std::exp(score) / sum));
  }
  return map;
}

TEST(AttentionText, ShowsTheWorkedExample) {
  const AttentionMap map = worked_example();
  EXPECT_NEAR(map.heads[0].weights[0], 0.0634, 5e-5);
  EXPECT_NEAR(map.heads[0].weights[1], 0.4683, 5e-5);
  EXPECT_EQ(attention_text(map, 0),
            "        one  two  three\n"
            "first    ░    ▒     ▒\n"
            "second        █\n"
            "third         █     ░\n"
            "\n"
            "░ 5-25 %   ▒ 25-50 %   ▓ 50-75 %   █ over 75 %   (dot)\n");
  EXPECT_NE(attention_text(map, 0, {80, false, false}).find("first    .    +     +\n"), std::string::npos);
}

TEST(AttentionText, WideCharactersStayAligned) {
  const AttentionMap map{
      {"房子", "e\u0301te\u0301", "x"}, {"家は", "a"}, {{"h", {0, 0, 1, 1, 0, 0.1f}}}, false};
  EXPECT_EQ(attention_text(map, 0).substr(0, attention_text(map, 0).find("\n\n")),
            "      房子  e\u0301te\u0301  x\n"
            "家は             █\n"
            "a      █         ░");
}

TEST(AttentionText, NarrowTerminalsTurnTheWordsThenFold) {
  AttentionMap map{{"alpha", "be", "gamma"}, {"x"}, {{"h", {0.1f, 0.3f, 0.9f}}}, false};
  const std::string turned = attention_text(map, 0, {12, true, false});
  EXPECT_EQ(turned.substr(0, turned.find("\n\n")),
            "  a     g\n  l     a\n  p     m\n  h  b  m\n  a  e  a\nx ░░ ▒▒ ██");
  const std::string folded = attention_text(map, 0, {8, true, false});
  EXPECT_NE(folded.find("x ░░ ▒▒\n\n"), std::string::npos) << folded;
  EXPECT_NE(folded.find("x ██\n"), std::string::npos) << folded;
}

TEST(AttentionText, EscapesNeverReachTheTerminal) {
  const AttentionMap map{{"\x1b[2J"}, {"\x1b]0;x\x07"}, {{"h\x1b", {1}}}, false};
  EXPECT_EQ(attention_text(map, 0).find('\x1b'), std::string::npos);
}

TEST(Attention, SubwordsJoinToWords) {
  // Source: "un" "happy" "man"; target: "unglück" "licher" "mann".
  const AttentionMap pieces{{"un@@", "happy", "man"},
                            {"unglück@@", "licher", "mann"},
                            {{"h", {0.5f, 0.25f, 0.25f, 0.25f, 0.75f, 0, 0, 0, 1}}},
                            false};
  const AttentionMap words =
      join_subwords(pieces, {{0, 0, 1}, {"unhappy", "man"}}, {{0, 0, 1}, {"unglücklicher", "mann"}});
  EXPECT_EQ(words.heads[0].weights, (std::vector<float>{0.875f, 0.125f, 0, 1}));
  EXPECT_TRUE(words.joined);
  EXPECT_NE(attention_page(words).find("summed over source pieces, averaged over target pieces"),
            std::string::npos);
  EXPECT_EQ(attention_page(pieces).find("summed over source pieces"), std::string::npos);
  EXPECT_THROW(join_subwords(pieces, {{0, 0}, {"a"}}, {{0, 0, 1}, {"a", "b"}}), Error);
  EXPECT_THROW(join_subwords(pieces, {{0, 0, 2}, {"a", "b"}}, {{0, 0, 1}, {"a", "b"}}), Error);
}

TEST(Attention, WrongSizesAreRefused) {
  AttentionMap map = worked_example();
  map.heads[0].weights.pop_back();
  EXPECT_THROW(attention_json(map), Error);
  EXPECT_THROW(attention_picture(worked_example(), 1), Error);
}

TEST(Attention, JsonReadsBackTheSame) {
  const AttentionMap map = worked_example();
  const auto json = nlohmann::json::parse(attention_json(map));
  EXPECT_EQ(json["heads"][0]["name"], "dot");
  for (int t = 0; t < 3; ++t)
    for (int s = 0; s < 3; ++s)
      EXPECT_EQ(json["heads"][0]["weights"][t][s].get<float>(), map.heads[0].weights[t * 3 + s]);
}

TEST(AttentionPicture, CellsHaveTheColourOfTheirWeight) {
  const AttentionMap map = worked_example();
  for (const Theme theme : {Theme::light, Theme::dark}) {
    Scene scene{120, 120, "", {}};
    add_cells(scene, map, map.heads[0], {0, 0, 40, 1, false, false});
    const Picture picture = read_png(to_png(scene, theme));
    ASSERT_EQ(picture.width, 240);
    for (int t = 0; t < 3; ++t)
      for (int s = 0; s < 3; ++s)
        EXPECT_EQ(picture.at(s * 80 + 40, t * 80 + 40),
                  colour_of({Role::weight, weight_level(map.heads[0].weights[t * 3 + s])}, theme))
            << t << ' ' << s;
  }
}

TEST(AttentionPicture, PngShowsUmlautsOfItsOwnFont) {
  // The dots of "ü" are ink above the body of "u".
  Scene scene{40, 40, "", {}};
  scene.add(Text{{10, 30}, "u", 20, {Role::ink}});
  const Colour ink = colour_of({Role::ink}, Theme::light);
  EXPECT_EQ(read_png(to_png(scene)).count(ink, 0, 0, 80, 36), 0);
  std::get<Text>(scene.marks[0]).text = "ü";
  EXPECT_GT(read_png(to_png(scene)).count(ink, 0, 0, 80, 36), 0);
}

TEST(AttentionPicture, EveryFormatIsWellFormedWhateverTheWords) {
  const std::string hostile = "</text></script><script>alert(\"1\")</script>&'\x01\xff]]>";
  const AttentionMap map{{hostile, "b"}, {hostile}, {{hostile, {0.2f, 0.8f}}, {"two", {NAN, 2}}}, true};
  EXPECT_EQ(markup_fault(to_svg(attention_pictures(map))), "");
  const std::string page = attention_page(map);
  EXPECT_EQ(markup_fault(page), "");
  EXPECT_EQ(page.find("<script>alert"), std::string::npos);
  EXPECT_NO_THROW(read_png(to_png(attention_pictures(map))));
  EXPECT_TRUE(nlohmann::json::accept(attention_json(map)));
  EXPECT_EQ(attention_page(map), page);
  EXPECT_EQ(to_png(attention_pictures(map)), to_png(attention_pictures(map)));
}

TEST(AttentionPicture, TheCheckOfMarkupCanFail) {
  EXPECT_NE(markup_fault("<a><b></a></b>"), "");
  EXPECT_NE(markup_fault("<a b=\"<\"/>"), "");
  EXPECT_NE(markup_fault("<a>&nbsp;</a>"), "");
  EXPECT_NE(markup_fault("<a>"), "");
}

WordWeights review() {
  return {{"a", "slow", "start", ",", "but", "what", "an", "ending", "!"},
          {0.02f, 0.07f, 0.06f, 0.01f, 0.05f, 0.22f, 0.15f, 0.24f, 0.18f},
          "positive",
          0.94};
}

TEST(Words, StrongestInCapitalsOrColour) {
  EXPECT_EQ(words_text(review()), "positive 0.94   a slow start, but WHAT AN ENDING!\n");
  const std::string colour = words_text(review(), {80, true, true});
  EXPECT_NE(colour.find("mending\x1b[0m"), std::string::npos) << colour;
  EXPECT_NE(colour.find("   a \x1b"), std::string::npos);  // too weak for a shade
}

TEST(Words, EveryFormatIsWellFormed) {
  WordWeights text = review();
  text.words.push_back("<b>\x02");
  text.weights.push_back(0);
  EXPECT_EQ(markup_fault(to_svg(words_picture(text))), "");
  EXPECT_EQ(markup_fault(words_page(text)), "");
  EXPECT_EQ(nlohmann::json::parse(words_json(text))["weights"][7].get<float>(), 0.24f);
  const Picture picture = read_png(to_png(words_picture(text)));
  EXPECT_GT(picture.count(colour_of({Role::weight, kWeightLevels}, Theme::light)), 500);  // behind "ending"
}

TEST(Words, JoinedSubwordsAreSaidInEveryFormat) {
  const std::string said = "Subwords joined to words";
  WordWeights text = review();
  EXPECT_EQ(words_page(text).find(said), std::string::npos);
  EXPECT_FALSE(nlohmann::json::parse(words_json(text))["joined"].get<bool>());
  text.joined = text.cut = true;
  EXPECT_NE(words_page(text).find(said), std::string::npos);
  EXPECT_NE(to_svg(words_picture(text)).find(said), std::string::npos);
  EXPECT_TRUE(nlohmann::json::parse(words_json(text))["joined"].get<bool>());
  EXPECT_NE(words_page(text).find(kTextGoesOn), std::string::npos);
}

TEST(Save, TheEndingChoosesTheFormat) {
  const TemporaryFolder folder;
  const AttentionMap map = worked_example();
  for (const auto& [ending, start] : {std::pair{"svg", "<svg"},
                                      {"png", "\x89PNG"},
                                      {"html", "<!DOCTYPE"},
                                      {"json", "{\"source\""},
                                      {"txt", "        one"}}) {
    const std::string path = folder.path(std::string("map.") + ending);
    save_attention(path, map);
    EXPECT_TRUE(read_file(path).starts_with(start)) << ending;
  }
  try {
    save_attention(folder.path("map.gif"), map);
    FAIL() << "wrote a .gif";
  } catch (const InputError& error) {
    EXPECT_NE(std::string(error.what()).find("known are .svg, .png, .html, .json, .txt"), std::string::npos)
        << error.what();
  }
}

}  // namespace
}  // namespace heed::view
