#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "heed/base/error.h"
#include "heed/view/attention.h"
#include "heed/view/heat_map.h"
#include "heed/view/page.h"
#include "heed/view/text.h"

namespace heed::view {
namespace {

// Cells as one path a shade: a map of a thousand cells is a few kilobytes.
std::string small_map(const AttentionMap& map, const AttentionHead& head) {
  const size_t columns = map.source.size();
  std::map<int, std::string> paths;
  for (size_t i = 0; i < head.weights.size(); ++i) {
    const int level = weight_level(head.weights[i]);
    if (level > 0) paths[level] += fmt::format("M{} {}h1v1h-1z", i % columns, i / columns);
  }
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {} {}\" shape-rendering=\"crispEdges\" "
      "aria-hidden=\"true\">",
      columns, map.target.size());
  for (const auto& [level, path] : paths) out += fmt::format("<path class=\"f-w{}\" d=\"{}\"/>", level, path);
  return out + "</svg>";
}

std::string thousandths(const std::vector<float>& weights) {
  std::string out;
  for (const float weight : weights)
    out += fmt::format("{}{}", out.empty() ? "" : " ",
                       std::lround(std::isfinite(weight) ? std::clamp(weight, 0.0f, 1.0f) * 1000 : 0));
  return out;
}

}  // namespace

std::string attention_figure(const AttentionMap& map) {
  const Scene scene = attention_picture(map, 0);
  std::string large = to_svg(scene, SvgUse::inlined);
  // Cells tall enough carry numbers, which the script rewrites when another head is chosen. A narrow screen
  // shrinks the picture to three quarters, beyond that it scrolls.
  const bool numbers = large.find("class=\"f-on") != std::string::npos;
  large.replace(0, 4,
                fmt::format("<svg{} style=\"min-width:{:.0f}px\"", numbers ? " data-numbers=\"\"" : "",
                            scene.width * 0.75));
  std::string out = "<div class=\"figure\">\n<div class=\"large scroll\">" + large + "</div>\n";
  if (map.heads.size() > 1) {
    out += "<div class=\"smalls\">\n";
    for (size_t i = 0; i < map.heads.size(); ++i)
      out += fmt::format("<button type=\"button\" class=\"small{}\" data-weights=\"{}\">{}{}</button>\n",
                         i == 0 ? " chosen" : "", thousandths(map.heads[i].weights),
                         small_map(map, map.heads[i]), escape_markup(map.heads[i].name));
    out += "</div>\n";
  }
  return out + "</div>\n";
}

std::string attention_page(const AttentionMap& map) {
  check_attention(map);
  std::string body =
      "<h1>Attention</h1>\n<p class=\"note\">Each row is a word that attends, across is what it attends to; "
      "a cell's shade is its weight.";
  if (map.heads.size() > 1) body += " Choose a head to see it large.";
  body += "</p>\n<section class=\"card\">\n" + attention_figure(map) + "</section>\n";
  return html_page("Attention", body);
}

std::string words_figure(const WordWeights& text) {
  std::string out = "<p class=\"words\">";
  const std::vector<bool> blanks = blanks_before(text.words);
  const bool shaded = !text.weights.empty();
  const float strongest = shaded ? strongest_word(text) : 0.0f;
  for (size_t i = 0; i < text.words.size(); ++i) {
    if (!shaded) {
      out += (blanks[i] ? " " : "") + escape_markup(text.words[i]);
      continue;
    }
    const int level = strongest > 0 ? weight_level(text.weights[i] / strongest) : 0;
    out += fmt::format("{}<span class=\"f-w{} f-{}\" title=\"{:.4f}\">{}</span>", blanks[i] ? " " : "", level,
                       class_of({Role::on_weight, level}), text.weights[i], escape_markup(text.words[i]));
  }
  return out + "</p>\n<p class=\"note\">" + words_note(text) + "</p>\n";
}

std::string words_page(const WordWeights& text) {
  const std::string body =
      fmt::format("<h1>{} <span class=\"note\">{:.2f}</span></h1>\n<section class=\"card\">\n{}</section>\n",
                  escape_markup(text.label), text.probability, words_figure(text));
  return html_page(text.label, body);
}

}  // namespace heed::view
