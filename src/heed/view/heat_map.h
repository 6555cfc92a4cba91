// Attention maps and shaded words within a larger picture or page.
#pragma once

#include "heed/view/attention.h"

namespace heed::view {

struct CellGrid {
  double x = 0, y = 0;   // of the upper left corner
  double cell = 12;      // side of a cell
  double gap = 0;        // between a cell and its border
  bool titles = false;   // words and weight shown when pointed at
  bool numbers = false;  // weights written in the cells
};

// Row by row. With titles or numbers every cell is a rectangle (with numbers each followed by its text);
// without, cells of level 0 are left out.
void add_cells(Scene& scene, const AttentionMap& map, const AttentionHead& head, const CellGrid& grid);

// What a page shows of a map: one head large, all in small beside it to choose from.
std::string attention_figure(const AttentionMap& map);

// A text with its words shaded, or as it is where they have no weights, and a note. Throws Error where words
// and weights differ in number.
std::string words_figure(const WordWeights& text);

}  // namespace heed::view
