// Line and bar charts: what the report shows and studies end in. Series are labelled where they end, unless
// there are more than find room; colours go by their order and hold for colour-blind eyes.
#pragma once

#include <string>
#include <vector>

#include "heed/view/scene.h"

namespace heed::view {

struct Series {
  std::string name;
  std::vector<double> x, y;                 // the same length; NaN leaves a gap
  std::vector<double> low = {}, high = {};  // a band around y (spread over seeds, say), or empty
  int colour = -1;                          // of the series' colours; -1: by its order
  bool quiet = false;                       // thin and pale: raw values behind what counts
  bool dots = false;                        // each value marked
  bool labelled = true;                     // its name stands where it ends, if all find room
};

struct LineChart {
  std::string title;
  std::string x_label, y_label;
  std::vector<Series> series;
  bool logarithmic_x = false, logarithmic_y = false;  // values must be positive; others leave a gap
  bool from_zero = false;                             // the y axis includes 0
  double width = 480, height = 290;
};

struct BarSeries {
  std::string name;
  std::vector<double> values;               // one a group; NaN: no bar
  std::vector<double> low = {}, high = {};  // whiskers, or empty
  int colour = -1;
};

struct BarChart {
  std::string title;
  std::string x_label, y_label;
  std::vector<std::string> groups;
  std::vector<BarSeries> series;
  double width = 480, height = 290;
};

// Throw Error where lengths disagree.
Scene line_chart(const LineChart& chart);
Scene bar_chart(const BarChart& chart);

}  // namespace heed::view
