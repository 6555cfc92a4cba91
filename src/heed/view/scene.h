// A picture as a list of marks, drawn in order; the same list becomes SVG or PNG. Lengths are in pixels of
// the SVG, y downwards, angles in degrees clockwise.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "heed/view/colour.h"

namespace heed::view {

struct Point {
  double x = 0, y = 0;
};

struct Rectangle {
  double x = 0, y = 0, width = 0, height = 0;
  Paint fill;
  double radius = 0;
  std::string title;  // shown when the reader points at the mark (SVG)
};

struct Circle {
  Point centre;
  double radius = 0;
  Paint fill;
  std::string title;
};

struct Polyline {
  std::vector<Point> points;
  Paint stroke;
  double width = 1;
  std::string title;
  // One text a point, shown by the page's script near that point; empty: the line is silent.
  std::vector<std::string> values;
};

struct Polygon {
  std::vector<Point> points;
  Paint fill;
};

enum class Anchor { start, middle, end };

struct Text {
  Point at;  // on the baseline
  std::string text;
  double size = 12;
  Paint fill{Role::ink};
  Anchor anchor = Anchor::start;
  double rotation = 0;
  bool bold = false;
};

using Mark = std::variant<Rectangle, Circle, Polyline, Polygon, Text>;

struct Scene {
  double width = 0, height = 0;
  std::string title;  // what the picture shows, for who cannot see it
  std::vector<Mark> marks;

  void add(Mark mark);
};

// Width in pixels of a text of this size.
double text_width(std::string_view text, double size, bool bold = false);

enum class SvgUse {
  file,    // stands alone: carries its colours for both themes and its ground
  inlined  // part of a page that has style_sheet()
};
std::string to_svg(const Scene& scene, SvgUse use = SvgUse::file);

// The bytes of a PNG, 8 bits RGB, `scale` pixels for each of the scene's. Letters come from the embedded
// stroke font: Latin with its accents; other scripts are transliterated. Throws Error beyond 100 million
// pixels.
std::string to_png(const Scene& scene, Theme theme = Theme::light, double scale = 2);

}  // namespace heed::view
