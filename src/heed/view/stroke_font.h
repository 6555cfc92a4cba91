// The letters of PNG pictures: a font of heed's own, drawn with a round pen along lines and arcs, so that it
// needs no font file, scales and turns. All of Latin-1 and Latin Extended-A; the rest is transliterated.
#pragma once

#include <string_view>
#include <vector>

#include "heed/view/scene.h"

namespace heed::view {

struct TextStrokes {
  std::vector<std::vector<Point>> lines;  // baseline at y 0, y upwards, in units of the text's size
  double width = 0;                       // of the whole text in the same unit
};

inline constexpr double kStrokeWidth = 0.088;  // of the pen, in the same unit
inline constexpr double kBoldStrokeWidth = 0.13;

TextStrokes text_strokes(std::string_view text);

// Whether text_strokes draws every character as it is and transliterates none.
bool font_has(std::string_view text);

}  // namespace heed::view
