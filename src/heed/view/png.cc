#include <png.h>

#include <cmath>
#include <string>

#include "heed/base/error.h"
#include "heed/view/raster.h"
#include "heed/view/scene.h"
#include "heed/view/stroke_font.h"

namespace heed::view {
namespace {

constexpr double kLargestPicture = 1e8;  // pixels

struct Painter {
  Raster& raster;
  Theme theme;
  double scale;

  Point at(Point p) const { return {p.x * scale, p.y * scale}; }
  std::vector<Point> at(const std::vector<Point>& points) const {
    std::vector<Point> out;
    for (const Point& p : points) out.push_back(at(p));
    return out;
  }

  void operator()(const Rectangle& mark) {
    raster.fill_rectangle(mark.x * scale, mark.y * scale, mark.width * scale, mark.height * scale,
                          mark.radius * scale, colour_of(mark.fill, theme), mark.fill.alpha);
  }
  void operator()(const Circle& mark) {
    const std::vector<Point> point = {at(mark.centre)};
    raster.stroke({&point, 1}, 2 * mark.radius * scale, colour_of(mark.fill, theme), mark.fill.alpha);
  }
  void operator()(const Polyline& mark) {
    const std::vector<std::vector<Point>> lines = {at(mark.points)};
    raster.stroke(lines, mark.width * scale, colour_of(mark.stroke, theme), mark.stroke.alpha);
  }
  void operator()(const Polygon& mark) {
    raster.fill_polygon(at(mark.points), colour_of(mark.fill, theme), mark.fill.alpha);
  }
  void operator()(const Text& mark) {
    const TextStrokes strokes = text_strokes(mark.text);
    const double size = mark.size * scale, angle = mark.rotation * 3.14159265358979323846 / 180;
    const double shift = mark.anchor == Anchor::start ? 0 : mark.anchor == Anchor::end ? 1 : 0.5;
    std::vector<std::vector<Point>> lines = strokes.lines;
    for (auto& line : lines)
      for (Point& p : line) {
        const double x = (p.x - shift * strokes.width) * size, y = -p.y * size;
        p = {mark.at.x * scale + x * std::cos(angle) - y * std::sin(angle),
             mark.at.y * scale + x * std::sin(angle) + y * std::cos(angle)};
      }
    if (!lines.empty())
      raster.stroke(lines, (mark.bold ? kBoldStrokeWidth : kStrokeWidth) * size, colour_of(mark.fill, theme),
                    mark.fill.alpha);
  }
};

}  // namespace

std::string to_png(const Scene& scene, Theme theme, double scale) {
  const double wide = std::ceil(scene.width * scale), high = std::ceil(scene.height * scale);
  require(wide >= 1 && high >= 1 && wide * high <= kLargestPicture,
          "a picture of {} x {} pixels is too large for PNG; write it as SVG or HTML", wide, high);
  Raster raster(static_cast<int>(wide), static_cast<int>(high), colour_of({Role::surface}, theme));
  for (const Mark& mark : scene.marks) std::visit(Painter{raster, theme, scale}, mark);

  png_image image = {};
  image.version = PNG_IMAGE_VERSION;
  image.width = raster.width();
  image.height = raster.height();
  image.format = PNG_FORMAT_RGB;
  png_alloc_size_t size = 0;
  png_image_write_to_memory(&image, nullptr, &size, 0, raster.pixels().data(), 0, nullptr);
  require(size > 0, "libpng cannot write the picture: {}", image.message);
  std::string bytes(size, '\0');
  const int written =
      png_image_write_to_memory(&image, bytes.data(), &size, 0, raster.pixels().data(), 0, nullptr);
  require(written != 0, "libpng cannot write the picture: {}", image.message);
  bytes.resize(size);
  return bytes;
}

}  // namespace heed::view
