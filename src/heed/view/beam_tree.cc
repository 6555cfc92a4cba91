#include "heed/view/beam_tree.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "heed/base/error.h"
#include "heed/view/text.h"

namespace heed::view {
namespace {

constexpr double kTreeMargin = 14, kRow = 42, kBox = 32, kStepGap = 34, kTokenFont = 12.5, kScoreFont = 10;
constexpr int kLongestToken = 18;  // columns

// A curve that leaves and arrives level.
std::vector<Point> link(Point from, Point to) {
  constexpr int kPieces = 12;
  std::vector<Point> out;
  for (int i = 0; i <= kPieces; ++i) {
    const double t = static_cast<double>(i) / kPieces, s = t * t * (3 - 2 * t);
    out.push_back({from.x + (to.x - from.x) * t, from.y + (to.y - from.y) * s});
  }
  return out;
}

struct Placed {
  size_t step = 0;
  double row = 0;
  bool on_winning_path = false;
  std::vector<int32_t> children = {};
};

std::vector<Placed> place(const BeamTree& tree) {
  const size_t n = tree.nodes.size();
  std::vector<Placed> placed(n);
  std::vector<std::vector<int32_t>> steps;
  for (size_t i = 0; i < n; ++i) {
    const int32_t parent = tree.nodes[i].parent;
    require(parent >= -1 && parent < static_cast<int32_t>(i), "beam tree: node {} has parent {}", i, parent);
    if (parent >= 0) placed[i].step = placed[parent].step + 1;
    if (steps.size() <= placed[i].step) steps.resize(placed[i].step + 1);
    steps[placed[i].step].push_back(static_cast<int32_t>(i));
    if (tree.nodes[i].state == BeamState::winner)
      for (auto node = static_cast<int32_t>(i); node >= 0; node = tree.nodes[node].parent)
        placed[node].on_winning_path = true;
  }
  for (auto& step : steps) {
    // In the order of the parents, the best child first: lines cannot cross.
    std::stable_sort(step.begin(), step.end(), [&](int32_t a, int32_t b) {
      const int32_t pa = tree.nodes[a].parent, pb = tree.nodes[b].parent;
      const double ra = pa < 0 ? 0 : placed[pa].row, rb = pb < 0 ? 0 : placed[pb].row;
      return ra != rb ? ra < rb : tree.nodes[a].log_prob > tree.nodes[b].log_prob;
    });
    // Each as near to its parent's row as those above it leave room.
    double next = 0;
    for (size_t k = 0; k < step.size(); ++k) {
      const int32_t parent = tree.nodes[step[k]].parent;
      placed[step[k]].row = std::max(next, parent < 0 ? 0 : placed[parent].row);
      next = placed[step[k]].row + 1;
    }
  }
  return placed;
}

}  // namespace

Scene beam_picture(const BeamTree& tree) {
  const std::vector<Placed> placed = place(tree);
  const size_t n = tree.nodes.size();
  std::vector<std::string> labels;
  std::vector<double> left, widths;
  double lowest = 0;
  for (size_t i = 0; i < n; ++i) {
    labels.push_back(shorten(clean_text(tree.nodes[i].token), kLongestToken));
    if (widths.size() <= placed[i].step) widths.resize(placed[i].step + 1, 36);
    widths[placed[i].step] = std::max(widths[placed[i].step], text_width(labels[i], kTokenFont, true) + 18);
    lowest = std::max(lowest, placed[i].row);
  }
  double x = kTreeMargin;
  for (const double width : widths) {
    left.push_back(x);
    x += width + kStepGap;
  }
  Scene scene;
  scene.width = std::ceil(std::max(x - kStepGap + kTreeMargin, 2 * kTreeMargin + 120));
  scene.height = kTreeMargin + 20 + (lowest + 1) * kRow + kTreeMargin;
  scene.title = fmt::format("Beam search over {} steps", widths.size());
  const auto middle = [&](size_t i) { return kTreeMargin + 20 + placed[i].row * kRow + kBox / 2; };
  for (size_t step = 0; step < widths.size(); ++step)
    scene.add(Text{{left[step] + widths[step] / 2, kTreeMargin + 6},
                   fmt::format("{}", step + 1),
                   10.5,
                   {Role::muted},
                   Anchor::middle});
  for (const bool winning : {false, true})  // the winner's path over the others
    for (size_t i = 0; i < n; ++i) {
      const int32_t parent = tree.nodes[i].parent;
      if (parent < 0 || placed[i].on_winning_path != winning) continue;
      const bool pruned = tree.nodes[i].state == BeamState::pruned;
      const Point from{left[placed[parent].step] + widths[placed[parent].step], middle(parent)};
      scene.add(Polyline{link(from, {left[placed[i].step], middle(i)}),
                         winning  ? series_paint(0)
                         : pruned ? Paint{Role::grid}
                                  : Paint{Role::muted},
                         winning ? 2.6 : 1.2,
                         "",
                         {}});
    }
  for (size_t i = 0; i < n; ++i) {
    const BeamNode& node = tree.nodes[i];
    const size_t step = placed[i].step;
    const bool pruned = node.state == BeamState::pruned, wins = placed[i].on_winning_path;
    const bool ended = node.state == BeamState::winner || node.state == BeamState::finished;
    const double y = middle(i) - kBox / 2;
    const Paint frame = wins ? series_paint(0) : pruned ? Paint{Role::grid} : Paint{Role::muted};
    static constexpr const char* kStates[] = {"kept", "pruned", "finished", "the winner"};
    scene.add(Rectangle{left[step], y, widths[step], kBox, frame, 7,
                        fmt::format("{}: {:.3f}{}, {}", labels[i], node.log_prob,
                                    ended ? fmt::format(", score {:.3f}", node.score) : "",
                                    kStates[static_cast<int>(node.state)])});
    const bool filled = wins && ended;
    if (!filled)
      scene.add(Rectangle{left[step] + 1.2, y + 1.2, widths[step] - 2.4, kBox - 2.4, {Role::surface}, 6, ""});
    if (ended && !filled)  // a double frame: this hypothesis is complete
      scene.add(Rectangle{left[step] + widths[step] - 5, y + 4, 2, kBox - 8, frame, 1, ""});
    const Paint ink = filled   ? Paint{Role::surface}
                      : pruned ? Paint{Role::muted, 0, 0.75f}
                               : Paint{Role::ink};
    scene.add(
        Text{{left[step] + widths[step] / 2, y + 14}, labels[i], kTokenFont, ink, Anchor::middle, 0, wins});
    scene.add(Text{{left[step] + widths[step] / 2, y + 26.5},
                   fmt::format("{:.2f}", ended ? node.score : node.log_prob),
                   kScoreFont,
                   filled   ? ink
                   : pruned ? ink
                            : Paint{Role::muted},
                   Anchor::middle});
  }
  return scene;
}

}  // namespace heed::view
