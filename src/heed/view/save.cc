#include "heed/view/save.h"

#include <algorithm>
#include <string_view>
#include <utility>
#include <variant>

#include "heed/base/error.h"
#include "heed/base/file.h"
#include "heed/view/attention.h"
#include "heed/view/stroke_font.h"

namespace heed::view {

namespace {

bool keeps_text(const Scene& scene) {
  return std::all_of(scene.marks.begin(), scene.marks.end(), [](const Mark& mark) {
    const auto* text = std::get_if<Text>(&mark);
    return text == nullptr || font_has(text->text);
  });
}

}  // namespace

std::string save_picture(const std::string& path, const PictureFormats& formats) {
  std::string remark;
  const auto svg = [&] { return to_svg(formats.scene()); };
  const auto png = [&] {
    const Scene scene = formats.scene();
    if (!keeps_text(scene))
      remark = path + ": characters outside Latin script are transliterated; a .svg keeps them";
    return to_png(scene);
  };
  const std::pair<std::string_view, std::function<std::string()>> known[] = {
      {".svg", svg}, {".png", png}, {".html", formats.html}, {".json", formats.json}, {".txt", formats.txt}};
  std::string endings;
  for (const auto& [ending, write] : known) {
    if (!write) continue;
    if (path.size() > ending.size() && path.ends_with(ending)) {
      write_file(path, write());
      return remark;
    }
    endings += (endings.empty() ? "" : ", ") + std::string(ending);
  }
  fail_input("{}: the ending of the name says what is written; known are {}", path, endings);
}

std::string save_scene(const std::string& path, const Scene& scene) {
  return save_picture(path, {[&] { return scene; }, {}, {}, {}});
}

std::string save_attention(const std::string& path, const AttentionMap& map) {
  return save_picture(path, {[&] { return attention_pictures(map); }, [&] { return attention_page(map); },
                             [&] { return attention_json(map); },
                             [&] {
                               std::string out;
                               for (size_t i = 0; i < map.heads.size(); ++i)
                                 out += (i > 0 ? "\n" : "") + attention_text(map, i);
                               return out;
                             }});
}

std::string save_words(const std::string& path, const WordWeights& text) {
  return save_picture(path, {[&] { return words_picture(text); }, [&] { return words_page(text); },
                             [&] { return words_json(text); }, [&] { return words_text(text); }});
}

}  // namespace heed::view
