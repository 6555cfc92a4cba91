#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "heed/base/error.h"
#include "heed/view/attention.h"
#include "heed/view/heat_map.h"
#include "heed/view/text.h"

namespace heed::view {
namespace {

constexpr double kLargestFont = 13;
constexpr double kPageMargin = 16;
constexpr int kLongestWord = 28;  // columns

std::vector<std::string> labels_of(const std::vector<std::string>& words) {
  std::vector<std::string> out;
  for (const std::string& word : words) out.push_back(shorten(clean_text(word), kLongestWord));
  return out;
}

double widest(const std::vector<std::string>& labels, double size) {
  double width = 0;
  for (const std::string& label : labels) width = std::max(width, text_width(label, size));
  return width;
}

double cell_size(size_t rows, size_t columns) {
  const size_t most = std::max(rows, columns);
  return most <= 8 ? 44 : most <= 14 ? 36 : most <= 24 ? 26 : most <= 60 ? 18 : 12;
}

std::string footnote(const AttentionMap& map) {
  return map.joined ? "Subwords joined to words: summed over source pieces, averaged over target pieces."
                    : "";
}

// ".47", nothing for what rounds to 0.
std::string cell_number(float weight) {
  if (!(weight >= 0.005f)) return "";
  return weight >= 0.995f ? "1" : fmt::format("{:.2f}", weight).substr(1);
}

void add_key(Scene& scene, double x, double y) {
  constexpr int kSteps = 32;
  constexpr double kWidth = 112, kHeight = 9;
  for (int i = 0; i < kSteps; ++i)
    scene.add(Rectangle{x + kWidth * i / kSteps,
                        y,
                        kWidth - kWidth * i / kSteps,
                        kHeight,
                        {Role::weight, kWeightLevels * (i + 1) / kSteps},
                        0,
                        ""});
  scene.add(Text{{x - 6, y + kHeight}, "0", 11, {Role::muted}, Anchor::end});
  scene.add(Text{{x + kWidth + 6, y + kHeight}, "1", 11, {Role::muted}});
}

}  // namespace

void add_cells(Scene& scene, const AttentionMap& map, const AttentionHead& head, const CellGrid& grid) {
  const size_t columns = map.source.size(), rows = map.target.size();
  scene.add(Rectangle{grid.x - 1,
                      grid.y - 1,
                      columns * grid.cell + 2,
                      rows * grid.cell + 2,
                      {Role::grid},
                      grid.gap > 0 ? 3.0 : 0.0,
                      ""});
  scene.add(Rectangle{
      grid.x, grid.y, columns * grid.cell, rows * grid.cell, {Role::surface}, grid.gap > 0 ? 2.0 : 0.0, ""});
  for (size_t t = 0; t < rows; ++t)
    for (size_t s = 0; s < columns; ++s) {
      const float weight = head.weights[t * columns + s];
      const int level = weight_level(weight);
      const double x = grid.x + s * grid.cell, y = grid.y + t * grid.cell;
      std::string title;
      if (grid.titles)
        title = fmt::format("{} → {}: {:.3f}", clean_text(map.target[t]), clean_text(map.source[s]), weight);
      if (level > 0 || grid.titles)
        scene.add(Rectangle{x + grid.gap,
                            y + grid.gap,
                            grid.cell - 2 * grid.gap,
                            grid.cell - 2 * grid.gap,
                            {Role::weight, level},
                            grid.gap > 0 ? 2.0 : 0.0,
                            title});
      if (grid.numbers)
        scene.add(Text{{x + grid.cell / 2, y + grid.cell / 2 + 4},
                       cell_number(weight),
                       11,
                       {Role::on_weight, level},
                       Anchor::middle});
    }
}

Scene attention_picture(const AttentionMap& map, size_t head_index) {
  check_attention(map);
  require(head_index < map.heads.size(), "attention head {} of {}", head_index, map.heads.size());
  const AttentionHead& head = map.heads[head_index];
  const std::vector<std::string> source = labels_of(map.source), target = labels_of(map.target);
  const double cell = cell_size(target.size(), source.size());
  const double font = std::min(kLargestFont, cell * 0.8);
  // Words lie flat where the widest fits its cell, else they lean.
  const double widest_source = widest(source, font);
  const bool flat = widest_source <= cell - 4;
  const double angle = flat ? 0 : 50;
  const double lean_x = std::cos(angle * M_PI / 180), lean_y = std::sin(angle * M_PI / 180);
  const double top = flat ? font + 8 : widest_source * lean_y + font;

  Scene scene;
  const std::string name = clean_text(head.name);
  const double title_height = 30, left = kPageMargin + widest(target, font) + 8;
  const double y = kPageMargin + title_height + top;
  const double right_overhang = flat ? 0 : text_width(source.back(), font) * lean_x;
  scene.title = fmt::format("Attention weights, {}: {} target words down, {} source words across", name,
                            target.size(), source.size());
  scene.add(Text{{kPageMargin, kPageMargin + 12}, name, 14, {Role::ink}, Anchor::start, 0, true});
  add_cells(scene, map, head, {left, y, cell, cell >= 26 ? 1.0 : cell >= 18 ? 0.5 : 0.0, true, cell >= 34});
  for (size_t s = 0; s < source.size(); ++s) {
    const double middle = left + (s + 0.5) * cell;
    scene.add(Text{{flat ? middle : middle + font * 0.2, y - (flat ? 8 : 6)},
                   source[s],
                   font,
                   {Role::ink},
                   flat ? Anchor::middle : Anchor::start,
                   -angle});
  }
  for (size_t t = 0; t < target.size(); ++t)
    scene.add(
        Text{{left - 8, y + (t + 0.5) * cell + font * 0.35}, target[t], font, {Role::ink}, Anchor::end});
  const double bottom = y + target.size() * cell + 16;
  const std::string note = footnote(map);
  const double key_width = 112 + 24;
  double width = std::max(left + source.size() * cell + std::max(right_overhang, 4.0),
                          kPageMargin + text_width(name, 14, true));
  width = std::max({width, kPageMargin + key_width, kPageMargin + text_width(note, 11)}) + kPageMargin;
  add_key(scene, std::max(left + 12, kPageMargin + 12), bottom);
  scene.height = bottom + 9 + kPageMargin;
  if (!note.empty()) {
    scene.add(Text{{kPageMargin, bottom + 32}, note, 11, {Role::muted}});
    scene.height += 22;
  }
  scene.width = std::ceil(std::max(width, std::max(left + 12, kPageMargin + 12) + key_width));
  scene.height = std::ceil(scene.height);
  return scene;
}

Scene attention_pictures(const AttentionMap& map) {
  Scene scene = attention_picture(map, 0);
  if (map.heads.size() == 1) return scene;
  // Small ones below, in rows as wide as a page.
  const double longest = std::max(map.source.size(), map.target.size());
  const double cell = std::clamp(std::floor(120 / longest), 2.0, 12.0);
  const double wide = std::max(map.source.size() * cell, 96.0), high = map.target.size() * cell;
  const size_t across =
      std::max<size_t>(1, static_cast<size_t>((std::max(scene.width, 640.0) - kPageMargin) / (wide + 18)));
  const size_t columns = std::min(across, map.heads.size() - 1);
  double y = scene.height;
  for (size_t i = 1; i < map.heads.size(); ++i) {
    const size_t column = (i - 1) % columns;
    if (column == 0 && i > 1) y += high + 36;
    const double x = kPageMargin + column * (wide + 18);
    scene.add(Text{{x, y + 12}, clean_text(map.heads[i].name), 11, {Role::muted}});
    add_cells(scene, map, map.heads[i], {x, y + 20, cell, 0, false, false});
  }
  scene.width = std::max(scene.width, 2 * kPageMargin + columns * (wide + 18) - 18);
  scene.height = std::ceil(y + high + 20 + kPageMargin);
  return scene;
}

Scene words_picture(const WordWeights& text, double width) {
  constexpr double kSize = 15, kLine = 28, kBlank = 6, kPadding = 2.5;
  const float strongest = strongest_word(text);
  Scene scene;
  scene.width = width;
  scene.title = fmt::format("{} {:.2f}: words shaded by attention", clean_text(text.label), text.probability);
  scene.add(
      Text{{kPageMargin, kPageMargin + 14}, clean_text(text.label), 16, {Role::ink}, Anchor::start, 0, true});
  scene.add(Text{{kPageMargin + text_width(clean_text(text.label), 16, true) + 10, kPageMargin + 14},
                 fmt::format("{:.2f}", text.probability),
                 16,
                 {Role::muted}});
  double x = kPageMargin, y = kPageMargin + 48;
  const std::vector<bool> blanks = blanks_before(text.words);
  for (size_t i = 0; i < text.words.size(); ++i) {
    const std::string word = shorten(clean_text(text.words[i]), 40);
    const double wide = text_width(word, kSize);
    const bool joins_last = i > 0 && !blanks[i], joins_next = i + 1 < text.words.size() && !blanks[i + 1];
    if (blanks[i] && x + kBlank + wide + 3 > width - kPageMargin && x > kPageMargin) {
      x = kPageMargin;
      y += kLine;
    } else if (i > 0) {
      x += joins_last ? 4.5 : kBlank;
    }
    const double before = joins_last ? 2 : kPadding, after = joins_next ? 1.5 : kPadding;
    const int level = strongest > 0 ? weight_level(text.weights[i] / strongest) : 0;
    scene.add(Rectangle{x - before,
                        y - 16,
                        wide + before + after,
                        22,
                        {Role::weight, level},
                        3,
                        fmt::format("{}: {:.4f}", word, text.weights[i])});
    scene.add(Text{{x, y}, word, kSize, {Role::on_weight, level}});
    x += wide;
  }
  scene.add(Text{{kPageMargin, y + 34}, words_note(text), 11, {Role::muted}});
  scene.height = y + 34 + kPageMargin;
  return scene;
}

}  // namespace heed::view
