// From values to pixels, with ticks at round values.
#pragma once

#include <string>
#include <vector>

namespace heed::view {

// Numbers beyond this, on either side of 0, are not drawn: the difference of two of them may be infinite.
inline constexpr double kLargestDrawn = 1e300;
bool is_drawn(double value);  // NaN is not

struct Tick {
  double value;
  std::string label;
};

class Axis {
 public:
  // Covers [low, high] widened to whole ticks where `widen`; about `wanted` ticks. from and to: pixels of the
  // ends. What is not drawn of the range is cut off.
  static Axis linear(double low, double high, int wanted, double from, double to, bool widen);
  static Axis logarithmic(double low, double high, double from, double to);

  double pixel(double value) const;
  bool shows(double value) const;  // it is drawn, and positive on a logarithmic axis
  const std::vector<Tick>& ticks() const { return ticks_; }

 private:
  double low_ = 0, high_ = 1, from_ = 0, to_ = 1;
  bool logarithmic_ = false;
  std::vector<Tick> ticks_;
};

}  // namespace heed::view
