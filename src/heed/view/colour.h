// Colours of every picture: one theme for light surfaces and one for dark ones, and what a mark is painted
// with named by its role, so that a picture can be drawn in either.
#pragma once

#include <cstdint>
#include <string>

namespace heed::view {

struct Colour {
  uint8_t red = 0, green = 0, blue = 0;
  bool operator==(const Colour&) const = default;
};

std::string hex(Colour colour);  // "#1f77b4"

enum class Theme { light, dark };

// Weights are shown in kWeightLevels + 1 shades of one hue from the surface to full, even in perceived
// lightness (OKLCH); level 0 is the surface itself.
inline constexpr int kWeightLevels = 64;
int weight_level(double weight);  // of a weight in [0, 1]; beyond it is clipped, NaN is 0

// Colours of runs and series: eight that differ for colour-blind eyes as well, then again from the first.
inline constexpr int kSeriesColours = 8;

enum class Role : uint8_t {
  none,
  ink,        // text and what matters
  muted,      // secondary text, what was pruned
  grid,       // rules and frames
  surface,    // the ground
  series,     // index: which series
  weight,     // index: which level
  on_weight,  // text upon that level
};

struct Paint {
  Role role = Role::none;
  int index = 0;
  float alpha = 1;
};

constexpr Paint series_paint(int index, float alpha = 1) {
  return {Role::series, index % kSeriesColours, alpha};
}

Colour colour_of(Paint paint, Theme theme);

// A style sheet that gives each role a class: f-ink, f-s0.., f-w0.. to fill, k-ink, k-s0.. to stroke; the
// dark theme where the reader's system asks for it.
std::string style_sheet();

// The class of style_sheet() for a paint, without its letter: "ink", "s3", "w12", "on1".
std::string class_of(Paint paint);

}  // namespace heed::view
