#include <fmt/core.h>

#include <cmath>

#include "heed/view/scene.h"
#include "heed/view/text.h"

namespace heed::view {
namespace {

std::string num(double value) {
  std::string text = fmt::format("{:.2f}", std::isfinite(value) ? value : 0.0);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

std::string path_points(const std::vector<Point>& points) {
  std::string out;
  for (const Point& p : points) out += fmt::format("{}{},{}", out.empty() ? "" : " ", num(p.x), num(p.y));
  return out;
}

std::string fill(Paint paint) {
  std::string out = fmt::format(" class=\"f-{}\"", class_of(paint));
  if (paint.alpha < 1) out += fmt::format(" fill-opacity=\"{}\"", num(paint.alpha));
  return out;
}

std::string closed(std::string_view tag, std::string_view title) {
  if (title.empty()) return "/>\n";
  return fmt::format("><title>{}</title></{}>\n", escape_markup(title), tag);
}

struct SvgWriter {
  std::string& out;

  void operator()(const Rectangle& mark) {
    out += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"", num(mark.x), num(mark.y),
                       num(mark.width), num(mark.height));
    if (mark.radius > 0) out += fmt::format(" rx=\"{}\"", num(mark.radius));
    out += fill(mark.fill) + closed("rect", mark.title);
  }
  void operator()(const Circle& mark) {
    out += fmt::format("<circle cx=\"{}\" cy=\"{}\" r=\"{}\"", num(mark.centre.x), num(mark.centre.y),
                       num(mark.radius));
    out += fill(mark.fill) + closed("circle", mark.title);
  }
  void operator()(const Polyline& mark) {
    out += fmt::format("<polyline points=\"{}\" class=\"k-{}\" fill=\"none\" stroke-width=\"{}\"",
                       path_points(mark.points), class_of(mark.stroke), num(mark.width));
    if (mark.points.size() > 2) out += " stroke-linejoin=\"round\" stroke-linecap=\"round\"";
    if (mark.stroke.alpha < 1) out += fmt::format(" stroke-opacity=\"{}\"", num(mark.stroke.alpha));
    if (!mark.values.empty()) {
      std::string values;
      for (const std::string& value : mark.values)
        values += (values.empty() ? "" : "|") + escape_markup(value);
      out += fmt::format(" data-values=\"{}\"", values);
    }
    out += closed("polyline", mark.title);
  }
  void operator()(const Polygon& mark) {
    out += fmt::format("<polygon points=\"{}\"{}/>\n", path_points(mark.points), fill(mark.fill));
  }
  void operator()(const Text& mark) {
    static constexpr const char* kAnchors[] = {"", " text-anchor=\"middle\"", " text-anchor=\"end\""};
    out += fmt::format("<text x=\"{}\" y=\"{}\" font-size=\"{}\"{}{}{}", num(mark.at.x), num(mark.at.y),
                       num(mark.size), kAnchors[static_cast<int>(mark.anchor)],
                       mark.bold ? " font-weight=\"600\"" : "", fill(mark.fill));
    if (mark.rotation != 0)
      out +=
          fmt::format(" transform=\"rotate({} {} {})\"", num(mark.rotation), num(mark.at.x), num(mark.at.y));
    out += fmt::format(">{}</text>\n", escape_markup(mark.text));
  }
};

}  // namespace

std::string to_svg(const Scene& scene, SvgUse use) {
  std::string out = fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {0} {1}\" width=\"{0}\" height=\"{1}\" "
      "role=\"img\" "
      "font-family=\"system-ui, -apple-system, 'Segoe UI', Roboto, 'DejaVu Sans', sans-serif\">\n",
      num(scene.width), num(scene.height));
  if (!scene.title.empty()) out += fmt::format("<desc>{}</desc>\n", escape_markup(scene.title));
  if (use == SvgUse::file) {
    out += "<style>" + style_sheet() + "</style>\n";
    SvgWriter{out}(Rectangle{0, 0, scene.width, scene.height, {Role::surface}, 0, ""});
  }
  for (const Mark& mark : scene.marks) std::visit(SvgWriter{out}, mark);
  return out + "</svg>\n";
}

}  // namespace heed::view
