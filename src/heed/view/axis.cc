#include "heed/view/axis.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "heed/view/text.h"

namespace heed::view {
namespace {

std::string tick_label(double value) {
  const double size = std::abs(value);
  if (size >= 1e6) return pretty_number(value / 1e6, 6) + "M";
  if (size >= 1e4) return pretty_number(value / 1e3, 6) + "k";
  return pretty_number(value, 6);
}

double round_step(double range, int wanted) {
  const double raw = range / std::max(1, wanted), power = std::pow(10, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 2.5, 5.0})
    if (factor * power >= raw * 0.999) return factor * power;
  return 10 * power;
}

}  // namespace

bool is_drawn(double value) {
  return std::abs(value) <= kLargestDrawn;
}

Axis Axis::linear(double low, double high, int wanted, double from, double to, bool widen) {
  Axis axis;
  if (!(low <= high)) low = 0, high = 1;
  for (double* end : {&low, &high}) *end = std::clamp(*end, -kLargestDrawn, kLargestDrawn);
  constexpr double kLeast = 1 / kLargestDrawn;  // smaller differences have no digits to count in
  if (high - low <= std::max(std::abs(high) * 1e-9, kLeast)) {
    const double around = std::abs(high) <= kLeast ? 1 : std::abs(high) * 0.1;
    low -= around, high += around;
  }
  const double step = round_step(high - low, wanted);
  if (widen) low = std::floor(low / step + 1e-9) * step, high = std::ceil(high / step - 1e-9) * step;
  axis.low_ = low, axis.high_ = high, axis.from_ = from, axis.to_ = to;
  for (double k = std::ceil(low / step - 1e-9); k * step <= high + step * 1e-9; ++k)
    axis.ticks_.push_back({k * step, tick_label(k == 0 ? 0 : k * step)});
  return axis;
}

Axis Axis::logarithmic(double low, double high, double from, double to) {
  Axis axis;
  if (!(low > 0) || !(low <= high)) low = 1, high = 10;
  low = std::min(low, kLargestDrawn), high = std::min(high, kLargestDrawn);
  if (high < low * 2) low /= 1.5, high *= 1.5;
  axis.logarithmic_ = true;
  axis.low_ = std::log10(low), axis.high_ = std::log10(high), axis.from_ = from, axis.to_ = to;
  const double decades = axis.high_ - axis.low_;
  const int every = std::max(1, static_cast<int>(decades / 5));  // decades between two ticks
  for (int decade = static_cast<int>(std::floor(axis.low_)); decade <= axis.high_; ++decade)
    for (const double factor : {1.0, 2.0, 5.0}) {
      if ((factor != 1 && decades > 2.5) || (factor == 1 && every > 1 && decade % every != 0)) continue;
      const double value = factor * std::pow(10, decade);
      if (value >= low * 0.9999 && value <= high * 1.0001) axis.ticks_.push_back({value, tick_label(value)});
    }
  return axis;
}

bool Axis::shows(double value) const {
  return is_drawn(value) && (!logarithmic_ || value > 0);
}

double Axis::pixel(double value) const {
  const double at = logarithmic_ ? std::log10(value) : value;
  return from_ + (to_ - from_) * (at - low_) / (high_ - low_);
}

}  // namespace heed::view
