#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "heed/base/progress.h"
#include "heed/view/chart.h"
#include "heed/view/report_sections.h"
#include "heed/view/text.h"

namespace heed::view {
namespace {

constexpr double kChartWidth = 410, kChartHeight = 260;  // so that letters are readable on a phone
constexpr size_t kMostPoints = 240;                      // of a curve; beyond, neighbours are averaged
constexpr size_t kFewRuns = 6;                           // whose training curves can be told apart

using UpdateValue = double UpdatePoint::*;
using ValidationValue = std::function<double(const ValidationPoint&)>;

// The value over updates, averaged where the log is denser than a curve can show. Missing values are passed
// over.
Series curve(const std::vector<UpdatePoint>& points, UpdateValue value) {
  std::vector<std::pair<double, double>> all;
  for (const UpdatePoint& point : points)
    if (std::isfinite(point.*value)) all.emplace_back(point.update, point.*value);
  Series series{"", {}, {}};
  const size_t group = (all.size() + kMostPoints - 1) / std::max<size_t>(1, kMostPoints);
  for (size_t begin = 0; begin < all.size(); begin += std::max<size_t>(1, group)) {
    const size_t end = std::min(all.size(), begin + std::max<size_t>(1, group));
    double sum = 0;
    for (size_t i = begin; i < end; ++i) sum += all[i].second;
    series.x.push_back(all[end - 1].first);
    series.y.push_back(sum / static_cast<double>(end - begin));
  }
  return series;
}

Series curve(const std::vector<ValidationPoint>& points, const ValidationValue& value) {
  Series series{"", {}, {}};
  for (const ValidationPoint& point : points)
    if (std::isfinite(value(point))) {
      series.x.push_back(static_cast<double>(point.update));
      series.y.push_back(value(point));
    }
  series.dots = series.x.size() <= 40;
  return series;
}

// One run is labelled by what is measured, several by their names.
std::string label(const std::vector<RunReport>& runs, size_t run, const std::string& what) {
  if (runs.size() == 1) return what;
  return clean_text(runs[run].name) + (what == "train" ? " train" : "");
}

std::string chart_card(const LineChart& chart) {
  const bool empty =
      std::all_of(chart.series.begin(), chart.series.end(), [](const Series& s) { return s.x.empty(); });
  if (empty) return "";
  LineChart sized = chart;
  sized.width = kChartWidth, sized.height = kChartHeight;
  std::string svg = to_svg(line_chart(sized), SvgUse::inlined);
  svg.replace(0, 4, "<svg class=\"chart fluid\"");
  return "<div class=\"card\">" + svg + "</div>\n";
}

template <class Get>
void add(LineChart& chart, const std::vector<RunReport>& runs, const std::string& what, bool quiet,
         const Get& get) {
  for (size_t run = 0; run < runs.size(); ++run) {
    Series series = get(runs[run].log);
    if (series.x.empty()) continue;
    series.name = label(runs, run, what);
    series.colour = static_cast<int>(run % kSeriesColours);
    series.quiet = quiet;
    series.labelled = runs.size() == 1 || !quiet;  // of several runs the name stands once
    chart.series.push_back(std::move(series));
  }
}

double best(const std::vector<ValidationPoint>& points, const ValidationValue& value, bool lowest) {
  double found = kMissing;
  for (const ValidationPoint& point : points) {
    const double candidate = value(point);
    if (std::isfinite(candidate) && (std::isnan(found) || (lowest ? candidate < found : candidate > found)))
      found = candidate;
  }
  return found;
}

double dev_loss_of(const ValidationPoint& point) {
  return point.dev_loss;
}

ValidationValue value_of(const Metric& metric) {
  return [&metric](const ValidationPoint& point) {
    const auto found = point.metrics.find(metric.key);
    return found == point.metrics.end() ? kMissing : found->second;
  };
}

}  // namespace

std::string overview_section(const std::vector<RunReport>& runs) {
  struct Column {
    std::string name;
    std::function<double(const RunLog&)> value;
    std::function<std::string(double)> text;
  };
  const auto number = [](double value) { return pretty_number(value); };
  const auto digits = [](int count) {
    return [count](double value) {
      return std::isnan(value) ? std::string("–") : fmt::format("{:.{}f}", value, count);
    };
  };
  std::vector<Column> columns = {
      {"updates",
       [](const RunLog& log) {
         return log.updates.empty() ? kMissing : static_cast<double>(log.updates.back().update);
       },
       [](double value) { return pretty_number(value, 12); }},
      {"epochs", [](const RunLog& log) { return log.updates.empty() ? kMissing : log.updates.back().epoch; },
       number},
      {"time",
       [](const RunLog& log) {
         double last = log.updates.empty() ? kMissing : log.updates.back().seconds;
         if (!log.validations.empty()) last = std::fmax(last, log.validations.back().seconds);
         return last;
       },
       [](double value) { return std::isfinite(value) ? duration_words(value) : "–"; }},
      {"tokens/s",
       [](const RunLog& log) {
         std::vector<double> speeds;
         for (const UpdatePoint& point : log.updates)
           if (std::isfinite(point.tokens_per_s)) speeds.push_back(point.tokens_per_s);
         if (speeds.empty()) return kMissing;
         std::nth_element(speeds.begin(), speeds.begin() + speeds.size() / 2, speeds.end());
         return std::round(speeds[speeds.size() / 2]);
       },
       [](double value) { return pretty_number(value, 7); }},
      {"best dev loss", [](const RunLog& log) { return best(log.validations, dev_loss_of, true); },
       digits(3)},
  };
  for (const Metric& metric : kMetrics)
    columns.push_back({std::string("best ") + metric.name,
                       [&metric](const RunLog& log) {
                         return best(log.validations, value_of(metric), metric.less_is_better);
                       },
                       digits(2)});
  std::string head, rows;
  std::vector<const Column*> shown;
  for (const Column& column : columns)
    if (std::any_of(runs.begin(), runs.end(),
                    [&](const RunReport& run) { return !std::isnan(column.value(run.log)); })) {
      shown.push_back(&column);
      head += fmt::format("<th class=\"number\">{}</th>", column.name);
    }
  if (shown.empty() && runs.size() == 1) return "";
  for (size_t run = 0; run < runs.size(); ++run) {
    rows += "<tr><td>" + run_label(runs, run) + "</td>";
    for (const Column* column : shown)
      rows += "<td class=\"number\">" + column->text(column->value(runs[run].log)) + "</td>";
    rows += "</tr>\n";
  }
  return "<section class=\"card scroll\">\n<table class=\"wide overview\">\n<thead><tr><th>run</th>" + head +
         "</tr></thead>\n<tbody>\n" + rows + "</tbody>\n</table>\n</section>\n";
}

std::string curves_section(const std::vector<RunReport>& runs) {
  const bool classify =
      std::all_of(runs.begin(), runs.end(), [](const RunReport& run) { return run.classifies; });
  const bool mixed =
      !classify && std::any_of(runs.begin(), runs.end(), [](const RunReport& run) { return run.classifies; });
  const bool few = runs.size() <= kFewRuns;
  std::string unit = classify ? "nats a text" : mixed ? "nats a token or text" : "nats a token";
  if (few && runs.size() > 1) unit += "; thin: in training";
  LineChart loss{few ? "Loss" : "Loss on dev", "update", unit, {}};
  if (few)
    add(loss, runs, "train", true, [](const RunLog& log) { return curve(log.updates, &UpdatePoint::loss); });
  add(loss, runs, "dev", false, [](const RunLog& log) { return curve(log.validations, dev_loss_of); });
  std::string cards = chart_card(loss);
  for (const Metric& metric : kMetrics) {
    LineChart chart{metric.name, "update", "dev set", {}};
    add(chart, runs, metric.name, false,
        [&](const RunLog& log) { return curve(log.validations, value_of(metric)); });
    cards += chart_card(chart);
  }
  LineChart rate{"Learning rate", "update", "", {}};
  rate.from_zero = true;
  add(rate, runs, "rate", false,
      [](const RunLog& log) { return curve(log.updates, &UpdatePoint::learning_rate); });
  LineChart speed{"Speed", "update", classify || mixed ? "tokens a second" : "target tokens a second", {}};
  speed.from_zero = true;
  add(speed, runs, "speed", false,
      [](const RunLog& log) { return curve(log.updates, &UpdatePoint::tokens_per_s); });
  cards += chart_card(rate) + chart_card(speed);
  if (cards.empty()) return "";
  std::string note;
  if (few && !loss.series.empty()) {
    note =
        "<p class=\"note\">The loss in training has in it what was asked for besides: label smoothing, "
        "dropout, a guide. That on dev is the plain one.</p>\n";
  }
  if (runs.size() > kSeriesColours)
    note += "<p class=\"note\">There are more runs than colours: point at a curve to read its name.</p>\n";
  return "<h2>Curves</h2>\n" + note + "<section class=\"grid\">\n" + cards + "</section>\n";
}

}  // namespace heed::view
