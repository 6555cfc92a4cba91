// heed chart: the charts of the report, of any table.
#include "heed/view/chart.h"

#include <charconv>
#include <cmath>
#include <limits>
#include <map>

#include "heed/base/text_util.h"
#include "heed/cli/commands.h"
#include "heed/cli/common.h"
#include "heed/cli/options.h"
#include "heed/view/axis.h"
#include "heed/view/save.h"

namespace heed::cli {
namespace {

struct ChartOptions {
  std::string output;
  std::string title;
  std::string y_label;
  bool bars = false;
  bool logarithmic_x = false;
  bool logarithmic_y = false;
  bool from_zero = false;

  void visit(ConfigVisitor& v) {
    v("output", output, "the picture: a name that ends in .svg or .png");
    v("title", title, "above the chart");
    v("y_label", y_label, "what the numbers are");
    v("bars", bars, "a group of bars for each line of the table, instead of curves");
    v("logarithmic_x", logarithmic_x, "a logarithmic axis of the first column");
    v("logarithmic_y", logarithmic_y, "a logarithmic axis of the others");
    v("from_zero", from_zero, "curves: the axis of the numbers begins at 0");
  }
};

struct Table {
  std::vector<std::string> names;                 // of the columns
  std::vector<std::string> groups;                // the first column
  std::map<std::string, std::vector<double>> of;  // the others by name, one number a line
};

double number(const std::string& cell, const std::string& column, const std::string& path, size_t row) {
  if (cell.empty() || cell == "-") return std::numeric_limits<double>::quiet_NaN();
  double value = 0.0;
  const auto [end, error] = std::from_chars(cell.data(), cell.data() + cell.size(), value);
  if (error == std::errc::result_out_of_range || (std::isfinite(value) && !view::is_drawn(value)))
    fail_input("{}:{}: {} is {}, too large or too small to be drawn; numbers reach to {} in size", path, row,
               in_quotes(column), cell, view::kLargestDrawn);
  if (error != std::errc() || end != cell.data() + cell.size() || !std::isfinite(value))
    fail_input("{}:{}: expected a number, found {} in column {}; - stands for a missing one", path, row,
               in_quotes(cell), in_quotes(column));
  return value;
}

Table read_table(const std::string& path) {
  LineReader reader = open_input(path);
  Table table;
  std::string line;
  if (!reader.next(line)) fail_input("{}: an empty table; its first line names the columns", path);
  table.names = split(line, '\t');
  if (table.names.size() < 2)
    fail_input("{}:1: one column; a chart needs two or more, with tabs between", path);
  for (size_t i = 1; i < table.names.size(); ++i)
    if (!table.of.emplace(table.names[i], std::vector<double>()).second)
      fail_input("{}:1: two columns are called {}", path, in_quotes(table.names[i]));
  for (size_t row = 2; reader.next(line); ++row) {
    const std::vector<std::string> cells = split(line, '\t');
    if (cells.size() != table.names.size())
      fail_input("{}:{}: {} cells, but {} columns are named", path, row, cells.size(), table.names.size());
    table.groups.push_back(cells[0]);
    for (size_t i = 1; i < cells.size(); ++i)
      table.of[table.names[i]].push_back(number(cells[i], table.names[i], path, row));
  }
  if (table.groups.empty()) fail_input("{}: no lines below the names of the columns", path);
  return table;
}

// Calls f(name, values, low, high) for each column that is not the edge of another's spread.
template <class F>
void for_each_series(const Table& table, const std::string& path, F&& f) {
  const auto column = [&](const std::string& name) {
    const auto found = table.of.find(name);
    return found == table.of.end() ? std::vector<double>() : found->second;
  };
  for (size_t i = 1; i < table.names.size(); ++i) {
    const std::string& name = table.names[i];
    const auto edge_of = [&](std::string_view ending) {
      return name.ends_with(ending) && table.of.contains(name.substr(0, name.size() - ending.size()));
    };
    if (edge_of(" low") || edge_of(" high")) continue;
    const std::vector<double> low = column(name + " low"), high = column(name + " high");
    if (low.size() != high.size())
      fail_input("{}: {} has one edge of a spread; give both, {} low and {} high", path, in_quotes(name),
                 name, name);
    f(name, column(name), low, high);
  }
}

// Any other number would be missing from the picture without a word.
void check_positive(const std::vector<double>& values, const std::string& name, const std::string& path) {
  for (size_t i = 0; i < values.size(); ++i)
    if (values[i] <= 0)
      fail_input("{}:{}: {} is {}; a logarithmic axis needs numbers above 0, and - for a missing one", path,
                 i + 2, in_quotes(name), values[i]);
}

view::Scene scene_of(const Table& table, const std::string& path, const ChartOptions& options) {
  if (options.bars) {
    view::BarChart chart{options.title, table.names[0], options.y_label, table.groups, {}};
    for_each_series(table, path,
                    [&](const auto& name, const auto& values, const auto& low, const auto& high) {
                      chart.series.push_back({name, values, low, high});
                    });
    return view::bar_chart(chart);
  }
  view::LineChart chart{options.title, table.names[0], options.y_label, {}};
  chart.logarithmic_x = options.logarithmic_x;
  chart.logarithmic_y = options.logarithmic_y;
  chart.from_zero = options.from_zero;
  std::vector<double> x;
  for (size_t i = 0; i < table.groups.size(); ++i)
    x.push_back(number(table.groups[i], table.names[0], path, i + 2));
  if (chart.logarithmic_x) check_positive(x, table.names[0], path);
  for (size_t i = 1; i < table.names.size() && chart.logarithmic_y; ++i)
    check_positive(table.of.at(table.names[i]), table.names[i], path);
  for_each_series(table, path, [&](const auto& name, const auto& values, const auto& low, const auto& high) {
    view::Series series{name, x, values, low, high};
    series.dots = x.size() <= 40;
    chart.series.push_back(std::move(series));
  });
  return view::line_chart(chart);
}

}  // namespace

int chart(Arguments arguments) {
  ChartOptions options;
  std::string path;
  OptionParser parser("heed chart", "Draws a table of numbers as curves or bars.");
  parser
      .positional(
          "TABLE", path,
          "columns with tabs between, their names in the first line; the first is the x axis, the others "
          "are drawn; 'NAME low' and 'NAME high' are the spread of NAME; - is a missing number")
      .shorthand('o', "output")
      .may_be_empty("title")
      .may_be_empty("y_label")
      .bind(options);
  parser.footer("Example: heed chart bleu.tsv --title BLEU --bars -o bleu.svg");
  parser.parse(arguments);
  if (options.output.empty()) fail_input("heed chart needs -o, the picture to write: a .svg or .png");
  if (options.bars && (options.logarithmic_x || options.logarithmic_y || options.from_zero))
    fail_input("heed chart: --bars stand on a plain axis that begins at 0; leave {} out",
               options.logarithmic_x   ? "--logarithmic-x"
               : options.logarithmic_y ? "--logarithmic-y"
                                       : "--from-zero");
  remark(view::save_scene(options.output, scene_of(read_table(path), path, options)));
  return 0;
}

}  // namespace heed::cli
