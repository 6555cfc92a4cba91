#include "heed/view/colour.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

namespace heed::view {
namespace {

constexpr double kHue = 255 * 3.14159265358979323846 / 180;  // the blue of the weights

constexpr Colour rgb(uint32_t value) {
  return {static_cast<uint8_t>(value >> 16), static_cast<uint8_t>(value >> 8), static_cast<uint8_t>(value)};
}

constexpr Colour kLightSurface = rgb(0xffffff), kDarkSurface = rgb(0x181b21);

// In the order of Okabe and Ito's set, darkened or lightened until each has 3:1 against its surface.
constexpr Colour kLightSeries[kSeriesColours] = {rgb(0x0b67b2), rgb(0xd2560a), rgb(0x0a8f68), rgb(0xb1478c),
                                                 rgb(0x9a7400), rgb(0x2f9bd3), rgb(0x5b4bb5), rgb(0x5f6670)};
constexpr Colour kDarkSeries[kSeriesColours] = {rgb(0x5aa9f2), rgb(0xff8a4c), rgb(0x35c796), rgb(0xe58ac2),
                                                rgb(0xe6bd3b), rgb(0x83d4ff), rgb(0xa79af5), rgb(0xa7aeb9)};

uint8_t to_srgb(double linear) {
  const double clipped = std::clamp(linear, 0.0, 1.0);
  const double value = clipped <= 0.0031308 ? 12.92 * clipped : 1.055 * std::pow(clipped, 1 / 2.4) - 0.055;
  return static_cast<uint8_t>(std::lround(value * 255));
}

// Ottosson's OKLCH, 2020.
Colour from_oklch(double lightness, double chroma, double hue) {
  const double a = chroma * std::cos(hue), b = chroma * std::sin(hue);
  const double l = std::pow(lightness + 0.3963377774 * a + 0.2158037573 * b, 3);
  const double m = std::pow(lightness - 0.1055613458 * a - 0.0638541728 * b, 3);
  const double s = std::pow(lightness - 0.0894841775 * a - 1.2914855480 * b, 3);
  return {to_srgb(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s),
          to_srgb(-1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s),
          to_srgb(-0.0041960863 * l - 0.7034186147 * m + 1.7076147010 * s)};
}

Colour weight_colour(int level, Theme theme) {
  if (level == 0) return theme == Theme::light ? kLightSurface : kDarkSurface;
  const double t = static_cast<double>(level) / kWeightLevels;
  const double rise = std::pow(std::min(1.0, t / 0.55), 0.7);  // of the chroma: pale shades stay blue
  if (theme == Theme::light) return from_oklch(0.985 - 0.625 * t, 0.135 * rise, kHue);
  return from_oklch(0.25 + 0.63 * t, 0.125 * rise - 0.04 * std::max(0.0, t - 0.55) / 0.45, kHue);
}

std::string rules(Theme theme) {
  std::string out;
  const auto rule = [&](Paint paint) {
    const std::string name = class_of(paint), colour = hex(colour_of(paint, theme));
    // The same classes serve markup: what paints an area is a ground there, what paints text its colour.
    const bool area = paint.role == Role::weight || paint.role == Role::series;
    out += fmt::format(".f-{0}{{fill:{1};{2}:{1}}}", name, colour, area ? "background" : "color");
    if (paint.role != Role::weight && paint.role != Role::on_weight)
      out += fmt::format(".k-{}{{stroke:{}}}", name, colour);
  };
  for (const Role role : {Role::ink, Role::muted, Role::grid, Role::surface}) rule({role});
  for (int i = 0; i < kSeriesColours; ++i) rule(series_paint(i));
  for (int i = 0; i <= kWeightLevels; ++i) rule({Role::weight, i});
  for (const int level : {0, kWeightLevels}) rule({Role::on_weight, level});
  return out;
}

}  // namespace

std::string hex(Colour colour) {
  return fmt::format("#{:02x}{:02x}{:02x}", colour.red, colour.green, colour.blue);
}

int weight_level(double weight) {
  if (!(weight > 0)) return 0;
  return static_cast<int>(std::lround(std::min(weight, 1.0) * kWeightLevels));
}

Colour colour_of(Paint paint, Theme theme) {
  const bool light = theme == Theme::light;
  switch (paint.role) {
    case Role::ink:
      return light ? rgb(0x1b1f26) : rgb(0xe8eaee);
    case Role::muted:
      return light ? rgb(0x69707c) : rgb(0x9aa1ad);
    case Role::grid:
      return light ? rgb(0xe3e6eb) : rgb(0x343942);
    case Role::series:
      return (light ? kLightSeries : kDarkSeries)[paint.index % kSeriesColours];
    case Role::weight:
      return weight_colour(paint.index, theme);
    case Role::on_weight:
      if (paint.index * 2 > kWeightLevels) return light ? rgb(0xffffff) : rgb(0x10131a);
      return light ? rgb(0x1b1f26) : rgb(0xe8eaee);
    case Role::surface:
    case Role::none:
      break;
  }
  return light ? kLightSurface : kDarkSurface;
}

std::string class_of(Paint paint) {
  switch (paint.role) {
    case Role::none:
      return "none";
    case Role::ink:
      return "ink";
    case Role::muted:
      return "muted";
    case Role::grid:
      return "grid";
    case Role::surface:
      return "surface";
    case Role::series:
      return fmt::format("s{}", paint.index % kSeriesColours);
    case Role::weight:
      return fmt::format("w{}", paint.index);
    case Role::on_weight:
      return paint.index * 2 > kWeightLevels ? "on1" : "on0";  // two text colours serve all levels
  }
  return "none";
}

std::string style_sheet() {
  return rules(Theme::light) + "@media (prefers-color-scheme:dark){" + rules(Theme::dark) + "}";
}

}  // namespace heed::view
