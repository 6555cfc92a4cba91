#include "heed/view/raster.h"

#include <algorithm>
#include <cmath>

namespace heed::view {
namespace {

constexpr int kSubrows = 8;  // sampled rows a pixel of a polygon

double clamp01(double value) {
  return std::clamp(value, 0.0, 1.0);
}

// Length of [from, to] within the pixel [at, at + 1].
double overlap(double from, double to, int at) {
  return clamp01(std::min(to, at + 1.0) - std::max(from, static_cast<double>(at)));
}

double distance_to_segment(Point p, Point a, Point b) {
  const double dx = b.x - a.x, dy = b.y - a.y, square = dx * dx + dy * dy;
  const double t = square > 0 ? clamp01(((p.x - a.x) * dx + (p.y - a.y) * dy) / square) : 0;
  return std::hypot(p.x - a.x - t * dx, p.y - a.y - t * dy);
}

}  // namespace

Raster::Raster(int width, int height, Colour ground) : width_(width), height_(height) {
  pixels_.reserve(static_cast<size_t>(width) * height * 3);
  for (int64_t i = 0; i < static_cast<int64_t>(width) * height; ++i)
    pixels_.insert(pixels_.end(), {ground.red, ground.green, ground.blue});
}

Raster::Box Raster::box_of(double left, double top, double right, double bottom) const {
  const auto within = [](double value, int limit) {
    return static_cast<int>(std::clamp(value, 0.0, static_cast<double>(limit)));
  };
  return {within(std::floor(left), width_), within(std::floor(top), height_),
          within(std::ceil(right), width_), within(std::ceil(bottom), height_)};
}

void Raster::blend(int x, int y, Colour colour, double alpha) {
  uint8_t* pixel = &pixels_[(static_cast<size_t>(y) * width_ + x) * 3];
  const uint8_t source[3] = {colour.red, colour.green, colour.blue};
  for (int i = 0; i < 3; ++i)
    pixel[i] = static_cast<uint8_t>(std::lround(pixel[i] + (source[i] - pixel[i]) * alpha));
}

void Raster::fill_rectangle(double x, double y, double width, double height, double radius, Colour colour,
                            double alpha) {
  const Box box = box_of(x, y, x + width, y + height);
  const double round = std::min({radius, width / 2, height / 2});
  for (int row = box.top; row < box.bottom; ++row)
    for (int column = box.left; column < box.right; ++column) {
      double coverage = overlap(x, x + width, column) * overlap(y, y + height, row);
      const double dx = std::max(x + round - column - 0.5, column + 0.5 - (x + width - round));
      const double dy = std::max(y + round - row - 0.5, row + 0.5 - (y + height - round));
      if (round > 0 && dx > 0 && dy > 0) coverage = clamp01(round - std::hypot(dx, dy) + 0.5);
      if (coverage > 0) blend(column, row, colour, coverage * alpha);
    }
}

void Raster::stroke(std::span<const std::vector<Point>> lines, double pen, Colour colour, double alpha) {
  double left = 1e9, top = 1e9, right = -1e9, bottom = -1e9;
  for (const auto& line : lines)
    for (const Point& p : line) {
      left = std::min(left, p.x), right = std::max(right, p.x);
      top = std::min(top, p.y), bottom = std::max(bottom, p.y);
    }
  const double reach = pen / 2 + 1;
  const Box box = box_of(left - reach, top - reach, right + reach, bottom + reach);
  if (box.empty()) return;
  const int columns = box.right - box.left;
  mask_.assign(static_cast<size_t>(columns) * (box.bottom - box.top), 0.0f);
  for (const auto& line : lines)
    for (size_t i = 0; i < line.size(); ++i) {
      const Point a = line[i], b = line[std::min(i + 1, line.size() - 1)];
      const Box piece = box_of(std::min(a.x, b.x) - reach, std::min(a.y, b.y) - reach,
                               std::max(a.x, b.x) + reach, std::max(a.y, b.y) + reach);
      for (int row = piece.top; row < piece.bottom; ++row)
        for (int column = piece.left; column < piece.right; ++column) {
          const double distance = distance_to_segment({column + 0.5, row + 0.5}, a, b);
          float& mask = mask_[static_cast<size_t>(row - box.top) * columns + column - box.left];
          // A pen thinner than a pixel covers that part of it.
          const double coverage = clamp01(pen / 2 - distance + 0.5) * std::min(1.0, pen);
          mask = std::max(mask, static_cast<float>(coverage));
        }
    }
  for (int row = box.top; row < box.bottom; ++row)
    for (int column = box.left; column < box.right; ++column) {
      const float coverage = mask_[static_cast<size_t>(row - box.top) * columns + column - box.left];
      if (coverage > 0) blend(column, row, colour, coverage * alpha);
    }
}

void Raster::fill_polygon(std::span<const Point> points, Colour colour, double alpha) {
  if (points.size() < 3) return;
  double top = 1e9, bottom = -1e9, left = 1e9, right = -1e9;
  for (const Point& p : points) {
    left = std::min(left, p.x), right = std::max(right, p.x);
    top = std::min(top, p.y), bottom = std::max(bottom, p.y);
  }
  const Box box = box_of(left, top, right, bottom);
  std::vector<double> crossings;
  for (int row = box.top; row < box.bottom; ++row) {
    mask_.assign(box.right - box.left, 0.0f);
    for (int sub = 0; sub < kSubrows; ++sub) {
      const double y = row + (sub + 0.5) / kSubrows;
      crossings.clear();
      for (size_t i = 0; i < points.size(); ++i) {
        const Point a = points[i], b = points[(i + 1) % points.size()];
        if ((a.y <= y) != (b.y <= y)) crossings.push_back(a.x + (b.x - a.x) * (y - a.y) / (b.y - a.y));
      }
      std::sort(crossings.begin(), crossings.end());
      for (size_t i = 0; i + 1 < crossings.size(); i += 2)
        for (int column = std::max(box.left, static_cast<int>(std::floor(crossings[i])));
             column < std::min<double>(box.right, std::ceil(crossings[i + 1])); ++column)
          mask_[column - box.left] +=
              static_cast<float>(overlap(crossings[i], crossings[i + 1], column) / kSubrows);
    }
    for (int column = box.left; column < box.right; ++column)
      if (mask_[column - box.left] > 0)
        blend(column, row, colour, std::min(1.0f, mask_[column - box.left]) * alpha);
  }
}

}  // namespace heed::view
