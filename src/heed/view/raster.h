// Pixels with smooth edges: coverage of a pixel by a shape, blended once a shape.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "heed/view/scene.h"

namespace heed::view {

class Raster {
 public:
  Raster(int width, int height, Colour ground);

  int width() const { return width_; }
  int height() const { return height_; }
  const std::vector<uint8_t>& pixels() const { return pixels_; }  // [height, width, 3]

  void fill_rectangle(double x, double y, double width, double height, double radius, Colour colour,
                      double alpha);
  // A round pen of this width along each line; overlaps are painted once. Points are in pixels.
  void stroke(std::span<const std::vector<Point>> lines, double pen, Colour colour, double alpha);
  void fill_polygon(std::span<const Point> points, Colour colour, double alpha);

 private:
  struct Box {
    int left, top, right, bottom;
    bool empty() const { return left >= right || top >= bottom; }
  };
  Box box_of(double left, double top, double right, double bottom) const;
  void blend(int x, int y, Colour colour, double alpha);

  int width_, height_;
  std::vector<uint8_t> pixels_;
  std::vector<float> mask_;  // coverage within the box of the shape being drawn
};

}  // namespace heed::view
