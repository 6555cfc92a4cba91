#include "heed/view/chart.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>

#include "heed/base/error.h"
#include "heed/view/axis.h"
#include "heed/view/text.h"

namespace heed::view {
namespace {

constexpr double kChartMargin = 14, kTickFont = 11, kLabelFont = 12, kLabelLine = 15;
constexpr int kLongestName = 22;  // columns of a series' or group's name
constexpr double kLean = 40;      // degrees, of names that have no room to lie

struct Extent {
  double low = std::numeric_limits<double>::infinity(), high = -low;
  void add(double value, bool positive_only) {
    if (!is_drawn(value) || (positive_only && value <= 0)) return;
    low = std::min(low, value), high = std::max(high, value);
  }
};

struct Frame {
  double left, top, right, bottom;
};

std::string short_name(const std::string& name) {
  return shorten(clean_text(name), kLongestName);
}

int colour_index(int colour, size_t order) {
  return (colour >= 0 ? colour : static_cast<int>(order)) % kSeriesColours;
}

// Title, what the y axis counts, and the horizontal rules.
void add_frame(Scene& scene, const std::string& title, const std::string& x_label, const std::string& y_label,
               const Frame& frame, const Axis& y, double x_label_at) {
  scene.add(Text{{kChartMargin, 24}, clean_text(title), 14, {Role::ink}, Anchor::start, 0, true});
  if (!y_label.empty()) scene.add(Text{{kChartMargin, 41}, clean_text(y_label), kTickFont, {Role::muted}});
  for (const Tick& tick : y.ticks()) {
    const double at = std::round(y.pixel(tick.value)) + 0.5;
    scene.add(Polyline{{{frame.left, at}, {frame.right, at}}, {Role::grid}, 1, "", {}});
    scene.add(Text{{frame.left - 7, at + 4}, tick.label, kTickFont, {Role::muted}, Anchor::end});
  }
  if (!x_label.empty())
    scene.add(Text{{frame.right, x_label_at}, clean_text(x_label), kTickFont, {Role::muted}, Anchor::end});
}

double tick_width(const Axis& axis) {
  double width = 0;
  for (const Tick& tick : axis.ticks()) width = std::max(width, text_width(tick.label, kTickFont));
  return width;
}

struct EndLabel {
  std::string name;
  Paint paint;
  double x, y, wanted, right;
};

// Labels that would touch are moved apart, as little as need be, and kept within the frame.
void spread(std::vector<EndLabel>& labels, const Frame& frame) {
  std::stable_sort(labels.begin(), labels.end(),
                   [](const auto& a, const auto& b) { return a.wanted < b.wanted; });
  for (int pass = 0; pass < 100; ++pass)
    for (size_t i = 0; i < labels.size(); ++i) {
      labels[i].y = std::clamp(labels[i].y, frame.top, frame.bottom + 4);
      for (size_t j = 0; j < i; ++j) {
        if (labels[i].x >= labels[j].right || labels[j].x >= labels[i].right) continue;
        const double missing = kLabelLine - (labels[i].y - labels[j].y);
        if (missing > 0) labels[j].y -= missing / 2, labels[i].y += missing / 2;
      }
    }
}

void add_series(Scene& scene, const Series& series, int colour, const Axis& x, const Axis& y,
                const LineChart& chart) {
  const size_t n = series.x.size();
  const Paint paint = series_paint(colour, series.quiet ? 0.45f : 1);
  if (!series.low.empty()) {
    Polygon band{{}, series_paint(colour, 0.16f)};
    const auto add = [&](size_t i, double value) {
      if (x.shows(series.x[i]) && y.shows(value))
        band.points.push_back({x.pixel(series.x[i]), y.pixel(value)});
    };
    for (size_t i = 0; i < n; ++i) add(i, series.high[i]);
    for (size_t i = n; i-- > 0;) add(i, series.low[i]);
    scene.add(std::move(band));
  }
  Polyline line{{}, paint, series.quiet ? 1.2 : 2.2, clean_text(series.name), {}};
  const auto finish = [&] {
    if (line.points.size() > 1 || (line.points.size() == 1 && !series.dots)) scene.add(line);
    line.points.clear(), line.values.clear();
  };
  for (size_t i = 0; i < n; ++i) {
    if (!x.shows(series.x[i]) || !y.shows(series.y[i])) {
      finish();
      continue;
    }
    line.points.push_back({x.pixel(series.x[i]), y.pixel(series.y[i])});
    line.values.push_back(fmt::format("{} {}: {}", clean_text(chart.x_label), pretty_number(series.x[i], 9),
                                      pretty_number(series.y[i])));
  }
  finish();
  for (size_t i = 0; series.dots && i < n; ++i)
    if (x.shows(series.x[i]) && y.shows(series.y[i]))
      scene.add(Circle{{x.pixel(series.x[i]), y.pixel(series.y[i])}, 2.6, paint, ""});
}

void check(const LineChart& chart) {
  for (const Series& series : chart.series) {
    const size_t n = series.x.size();
    require(series.y.size() == n && (series.low.empty() || series.low.size() == n) &&
                series.low.size() == series.high.size(),
            "chart '{}', series '{}': {} x, {} y, {} low and {} high values", chart.title, series.name, n,
            series.y.size(), series.low.size(), series.high.size());
  }
}

}  // namespace

Scene line_chart(const LineChart& chart) {
  check(chart);
  Scene scene{chart.width, chart.height, clean_text(chart.title), {}};
  Extent across, up;
  double label_width = 0, labels_high = 0;
  for (const Series& series : chart.series) {
    for (const double value : series.x) across.add(value, chart.logarithmic_x);
    for (const auto* values : {&series.y, &series.low, &series.high})
      for (const double value : *values) up.add(value, chart.logarithmic_y);
    if (!series.labelled) continue;
    label_width = std::max(label_width, text_width(short_name(series.name), kLabelFont, true));
    labels_high += kLabelLine;
  }
  if (chart.from_zero) up.add(0, false);
  if (!chart.logarithmic_x && across.low > 0 && across.low < 0.1 * across.high) across.low = 0;
  Frame frame{kChartMargin, chart.y_label.empty() ? 44.0 : 58.0, chart.width - kChartMargin,
              chart.height - 44};
  const bool labelled = labels_high <= frame.bottom - frame.top;
  if (labelled) frame.right -= label_width + 10;
  const Axis y = chart.logarithmic_y ? Axis::logarithmic(up.low, up.high, frame.bottom, frame.top)
                                     : Axis::linear(up.low, up.high, 5, frame.bottom, frame.top, true);
  frame.left += tick_width(y) + 8;
  const int x_ticks = std::max(2, static_cast<int>((frame.right - frame.left) / 70));
  const Axis x = chart.logarithmic_x
                     ? Axis::logarithmic(across.low, across.high, frame.left, frame.right)
                     : Axis::linear(across.low, across.high, x_ticks, frame.left, frame.right, false);
  add_frame(scene, chart.title, chart.x_label, chart.y_label, frame, y, frame.bottom + 34);
  for (const Tick& tick : x.ticks())
    scene.add(
        Text{{x.pixel(tick.value), frame.bottom + 18}, tick.label, kTickFont, {Role::muted}, Anchor::middle});
  std::vector<EndLabel> labels;
  bool empty = true;
  for (const bool quiet : {true, false})  // what counts is drawn over what does not
    for (size_t i = 0; i < chart.series.size(); ++i) {
      const Series& series = chart.series[i];
      if (series.quiet != quiet) continue;
      const int colour = colour_index(series.colour, i);
      add_series(scene, series, colour, x, y, chart);
      for (size_t k = series.x.size(); k-- > 0;)
        if (x.shows(series.x[k]) && y.shows(series.y[k])) {
          empty = false;
          if (!labelled || !series.labelled) break;
          const std::string name = short_name(series.name);
          const double left = x.pixel(series.x[k]) + 8, at = y.pixel(series.y[k]);
          labels.push_back({name, series_paint(colour, quiet ? 0.75f : 1), left, at, at,
                            left + text_width(name, kLabelFont, true)});
          break;
        }
    }
  spread(labels, frame);
  for (const EndLabel& label : labels) {
    // A series that ends early has its name among the others' lines.
    if (label.x < frame.right)
      scene.add(Rectangle{
          label.x - 2, label.y - 7, label.right - label.x + 4, 14, {Role::surface, 0, 0.85f}, 3, ""});
    scene.add(Text{{label.x, label.y + 4}, label.name, kLabelFont, label.paint, Anchor::start, 0, true});
  }
  if (empty)
    scene.add(Text{{(frame.left + frame.right) / 2, (frame.top + frame.bottom) / 2},
                   "no values yet",
                   kLabelFont,
                   {Role::muted},
                   Anchor::middle});
  return scene;
}

Scene bar_chart(const BarChart& chart) {
  const size_t groups = chart.groups.size(), n = chart.series.size();
  Scene scene{chart.width, chart.height, clean_text(chart.title), {}};
  Extent up;
  up.add(0, false);
  for (const BarSeries& series : chart.series) {
    require(series.values.size() == groups && (series.low.empty() || series.low.size() == groups) &&
                series.low.size() == series.high.size(),
            "chart '{}', series '{}': {} values, {} low and {} high for {} groups", chart.title, series.name,
            series.values.size(), series.low.size(), series.high.size(), groups);
    for (const auto* values : {&series.values, &series.low, &series.high})
      for (const double value : *values) up.add(value, false);
  }
  Frame frame{kChartMargin, chart.y_label.empty() ? 44.0 : 58.0, chart.width - kChartMargin,
              chart.height - 44};
  if (n > 1) {  // a key above: bars have no end to be labelled at
    double key = kChartMargin;
    for (size_t i = 0; i < n; ++i) {
      const std::string name = short_name(chart.series[i].name);
      const Paint paint = series_paint(colour_index(chart.series[i].colour, i));
      const double wide = text_width(name, kLabelFont, true) + 32;
      if (key > kChartMargin && key + wide > chart.width - kChartMargin) key = kChartMargin, frame.top += 18;
      scene.add(Rectangle{key, frame.top - 11, 11, 11, paint, 2, ""});
      scene.add(Text{{key + 16, frame.top - 1}, name, kLabelFont, paint, Anchor::start, 0, true});
      key += wide;
    }
    frame.top += 16;
  }
  const auto up_axis = [&] { return Axis::linear(up.low, up.high, 5, frame.bottom, frame.top, true); };
  frame.left += tick_width(up_axis()) + 8;
  // Groups are named below their bars, leaning where the widest name needs more room than they have.
  std::vector<std::string> names;
  double widest = 0;
  for (const std::string& group : chart.groups) {
    names.push_back(short_name(group));
    widest = std::max(widest, text_width(names.back(), kTickFont));
  }
  const double count = static_cast<double>(std::max<size_t>(1, groups));
  const bool lean = widest > (frame.right - frame.left) / count - 4;
  if (lean) {
    constexpr double kRadians = kLean * M_PI / 180;
    frame.bottom = chart.height - 22 - widest * std::sin(kRadians) - (chart.x_label.empty() ? 0 : 16);
    // The first name ends within the picture.
    const double across = widest * std::cos(kRadians) - frame.right / (2 * count);
    frame.left = std::max(frame.left, across / (1 - 1 / (2 * count)));
  }
  const Axis y = up_axis();
  add_frame(scene, chart.title, chart.x_label, chart.y_label, frame, y,
            lean ? chart.height - 8 : frame.bottom + 34);
  if (groups == 0 || n == 0) return scene;
  const double slot = (frame.right - frame.left) / groups, bar = std::min(44.0, slot * 0.78 / n);
  for (size_t g = 0; g < groups; ++g) {
    const double middle = frame.left + (g + 0.5) * slot;
    for (size_t i = 0; i < n; ++i) {
      const BarSeries& series = chart.series[i];
      const double value = series.values[g];
      if (!y.shows(value)) continue;
      const double left = middle + (i - n / 2.0) * bar, zero = y.pixel(0), top = y.pixel(value);
      scene.add(Rectangle{left + 1, std::min(zero, top), bar - 2, std::abs(zero - top),
                          series_paint(colour_index(series.colour, i)), 2,
                          fmt::format("{}, {}: {}", clean_text(series.name), clean_text(chart.groups[g]),
                                      pretty_number(value))});
      const bool whisker = !series.low.empty() && y.shows(series.low[g]) && y.shows(series.high[g]);
      if (whisker)
        scene.add(
            Polyline{{{left + bar / 2, y.pixel(series.low[g])}, {left + bar / 2, y.pixel(series.high[g])}},
                     {Role::ink},
                     1.4,
                     "",
                     {}});
      const std::string label = pretty_number(value, 3);
      if (text_width(label, 10) <= bar + 2)
        scene.add(Text{{left + bar / 2, (whisker ? y.pixel(series.high[g]) : std::min(zero, top)) - 4},
                       label,
                       10,
                       {Role::ink},
                       Anchor::middle});
    }
    scene.add(Text{{lean ? middle + 4 : middle, frame.bottom + (lean ? 14 : 18)},
                   names[g],
                   kTickFont,
                   {Role::muted},
                   lean ? Anchor::end : Anchor::middle,
                   lean ? -kLean : 0.0});
  }
  scene.add(Polyline{{{frame.left, y.pixel(0)}, {frame.right, y.pixel(0)}}, {Role::muted}, 1, "", {}});
  return scene;
}

}  // namespace heed::view
