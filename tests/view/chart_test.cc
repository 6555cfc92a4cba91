#include "heed/view/chart.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>

#include "heed/base/error.h"
#include "heed/view/axis.h"
#include "heed/view/text.h"
#include "tests/view/markup.h"

namespace heed::view {
namespace {

TEST(Axis, TicksAreRound) {
  const Axis axis = Axis::linear(0.3, 9.7, 5, 100, 0, true);
  std::string labels;
  for (const Tick& tick : axis.ticks()) labels += tick.label + " ";
  EXPECT_EQ(labels, "0 2 4 6 8 10 ");
  EXPECT_DOUBLE_EQ(axis.pixel(0), 100);
  EXPECT_DOUBLE_EQ(axis.pixel(5), 50);
  const Axis log = Axis::logarithmic(0.001, 10, 0, 400);
  EXPECT_DOUBLE_EQ(log.pixel(0.01), 100);
  EXPECT_FALSE(log.shows(0));
  EXPECT_FALSE(log.shows(NAN));
}

TEST(Axis, HoldsForDegenerateRanges) {
  for (const auto& [low, high] : {std::pair{3.0, 3.0},
                                  {0.0, 0.0},
                                  {INFINITY, -INFINITY},
                                  {1e300, 1.0000001e300},
                                  {-1e308, 1e308},
                                  {1.7e308, 1.7e308},
                                  {0.0, 5e-324}}) {
    const Axis axis = Axis::linear(low, high, 5, 0, 100, true);
    EXPECT_GE(axis.ticks().size(), 2u);
    EXPECT_LT(axis.ticks().size(), 20u);
    EXPECT_TRUE(std::isfinite(axis.pixel(3)));
  }
  for (const auto& [low, high] :
       {std::pair{1.7e308, 1.7e308}, {5e-324, 1.7e308}, {5e-324, 5e-324}, {1.0, INFINITY}}) {
    const Axis axis = Axis::logarithmic(low, high, 0, 100);
    EXPECT_LT(axis.ticks().size(), 20u);
    EXPECT_TRUE(std::isfinite(axis.pixel(3)));
  }
}

TEST(LineChart, DrawsEachSeriesInItsColour) {
  LineChart chart{"Loss", "update", "nats", {{"a", {0, 1, 2}, {3, 2, 1}}, {"b", {0, 1, 2}, {1, 2, 3}}}};
  const Picture picture = read_png(to_png(line_chart(chart)));
  // Where a is high at the left, b is at the right.
  const Colour a = colour_of(series_paint(0), Theme::light), b = colour_of(series_paint(1), Theme::light);
  const int middle_x = picture.width / 2 - 20, middle_y = picture.height / 2;
  EXPECT_GT(picture.count(a, 0, 0, middle_x - 60, middle_y - 20), 100);
  EXPECT_EQ(picture.count(b, 0, 0, middle_x - 60, middle_y - 20), 0);
  EXPECT_GT(picture.count(b, middle_x + 60, 0, picture.width, middle_y - 20), 100);
  EXPECT_EQ(markup_fault(to_svg(line_chart(chart))), "");
}

TEST(LineChart, GapsAndNothingAtAll) {
  LineChart chart{"t", "x", "y", {{"a", {0, 1, 2, 3, 4}, {1, 2, NAN, 2, 1}}}};
  const std::string svg = to_svg(line_chart(chart));
  size_t pieces = 0;
  for (size_t at = svg.find("data-values"); at != std::string::npos; at = svg.find("data-values", at + 1))
    ++pieces;
  EXPECT_EQ(pieces, 2u);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
  EXPECT_NE(to_svg(line_chart({"t", "x", "y", {}})).find("no values yet"), std::string::npos);
  chart.series[0].y.pop_back();
  EXPECT_THROW(line_chart(chart), Error);
}

TEST(LineChart, NumbersTooLargeToDrawAreGaps) {
  for (const bool logarithmic : {true, false}) {
    LineChart chart{"t", "x", "y", {{"a", {0, 1, 2, 3}, {1, 2, 1.7e308, 2}}}};
    chart.logarithmic_y = logarithmic;
    for (const Mark& mark : line_chart(chart).marks) {
      const auto* line = std::get_if<Polyline>(&mark);
      for (const Point& point : line == nullptr ? std::vector<Point>() : line->points)
        EXPECT_TRUE(point.y >= 0 && point.y <= chart.height) << point.y;
    }
  }
  const BarChart bars{"t", "", "", {"small", "large"}, {{"a", {1, 1.7e308}, {}, {}}}};
  for (const Mark& mark : bar_chart(bars).marks) {
    const auto* bar = std::get_if<Rectangle>(&mark);
    EXPECT_TRUE(bar == nullptr || bar->height <= bars.height);
  }
}

// Names that find no room are not moved apart: with so many that would not come back.
TEST(LineChart, ManySeriesAreDrawn) {
  LineChart chart{"t", "x", "y", {}};
  for (int i = 0; i < 3000; ++i) chart.series.push_back({"run " + std::to_string(i), {0, 1}, {0, 1.0 + i}});
  int lines = 0;
  for (const Mark& mark : line_chart(chart).marks)
    if (const auto* line = std::get_if<Polyline>(&mark)) lines += line->title.starts_with("run ") ? 1 : 0;
  EXPECT_EQ(lines, 3000);
}

TEST(LineChart, BandsLieBehindTheLine) {
  LineChart chart{"t", "x", "y", {{"a", {0, 1}, {2, 2}, {1, 1}, {3, 3}}}};
  const std::string svg = to_svg(line_chart(chart));
  EXPECT_LT(svg.find("<polygon"), svg.find("data-values"));
  EXPECT_NE(svg.find("fill-opacity=\"0.16\""), std::string::npos);
}

// More series than find room at the right: none is labelled, and the lines have the width.
TEST(LineChart, LabelsThatDoNotFitAreLeftOut) {
  LineChart chart{"t", "x", "y", {}};
  for (int i = 0; i < 18; ++i) chart.series.push_back({"run " + std::to_string(i), {0, 1}, {0, 1.0 + i}});
  const auto labels = [&] {
    int count = 0;
    for (const Mark& mark : line_chart(chart).marks)
      if (const auto* text = std::get_if<Text>(&mark)) count += text->text.starts_with("run ") ? 1 : 0;
    return count;
  };
  EXPECT_EQ(labels(), 0);
  for (size_t i = 8; i < 18; ++i) chart.series[i].labelled = false;
  EXPECT_EQ(labels(), 8);
  chart.series.resize(8);
  EXPECT_EQ(labels(), 8);
}

// Those that end at one height stand side by side where they end far apart, and below each other where not.
TEST(LineChart, LabelsGiveWayOnlyToThoseTheyWouldTouch) {
  const auto heights = [](double end) {
    LineChart chart{"t", "x", "y", {}};
    chart.series = {{"run a", {0, 100}, {0, 1}}, {"run b", {0, end}, {0, 1}}};
    std::vector<double> found;
    for (const Mark& mark : line_chart(chart).marks)
      if (const auto* text = std::get_if<Text>(&mark); text != nullptr && text->text.starts_with("run "))
        found.push_back(text->at.y);
    EXPECT_EQ(found.size(), 2u);
    return std::abs(found.at(0) - found.at(1));
  };
  EXPECT_EQ(heights(40), 0.0);
  EXPECT_GE(heights(100), 14.0);
  EXPECT_GE(heights(95), 14.0);
}

// Names too long to lie side by side lean; all can be told apart, and none leaves the picture.
// A name among other series' lines stands on a ground of its own, drawn after them; one beside the frame
// needs none.
TEST(LineChart, NamesWithinTheFrameCoverTheLinesBelowThem) {
  const auto grounds = [](double end_of_a) {
    int found = 0, lines = 0;
    const Scene scene = line_chart({"", "", "", {{"a", {0, end_of_a}, {1, 1}}, {"b", {0, 9}, {1, 1}}}});
    for (const Mark& mark : scene.marks) {
      if (std::get_if<Polyline>(&mark) != nullptr) ++lines;
      const Rectangle* ground = std::get_if<Rectangle>(&mark);
      if (ground != nullptr && ground->fill.role == Role::surface) found += lines;
    }
    return std::pair(found, lines);
  };
  const auto [none, lines] = grounds(9);
  EXPECT_EQ(none, 0);
  EXPECT_EQ(grounds(4), std::pair(lines, lines));
}

TEST(BarChart, LongNamesStayInThePicture) {
  BarChart chart{"t", "", "BLEU", {}, {{"", {}, {}, {}}}};
  chart.groups = {"transformer-forced", "transformer-argmax", "transformer-drawn",
                  "rnn-forced",         "rnn-argmax",         "rnn-drawn"};
  chart.series[0].values.assign(chart.groups.size(), 30.0);
  const Scene scene = bar_chart(chart);
  std::set<std::string> names;
  for (const Mark& mark : scene.marks) {
    const auto* text = std::get_if<Text>(&mark);
    if (text == nullptr || text->rotation == 0) continue;
    names.insert(text->text);
    const double angle = text->rotation * M_PI / 180, wide = text_width(text->text, text->size);
    EXPECT_GE(text->at.x - wide * std::cos(angle), 0) << text->text;
    EXPECT_LE(text->at.y - wide * std::sin(angle), scene.height) << text->text;
  }
  EXPECT_EQ(names, std::set<std::string>(chart.groups.begin(), chart.groups.end()));
}

TEST(BarChart, BarsAreAsHighAsTheirValues) {
  const BarChart chart{
      "t", "length", "BLEU", {"short", "long"}, {{"none", {20, 5}, {}, {}}, {"dot", {20, 20}, {}, {}}}};
  const Picture picture = read_png(to_png(bar_chart(chart)));
  const Colour none = colour_of(series_paint(0), Theme::light),
               dot = colour_of(series_paint(1), Theme::light);
  const double ratio = static_cast<double>(picture.count(none, 0, 160)) / picture.count(dot, 0, 160);
  EXPECT_NEAR(ratio, 25.0 / 40, 0.02);  // rounded corners and the key
  EXPECT_EQ(markup_fault(to_svg(bar_chart(chart))), "");
}

}  // namespace
}  // namespace heed::view
