#include "heed/view/save.h"

#include <string_view>
#include <utility>
#include <vector>

#include "heed/base/error.h"
#include "heed/base/file.h"
#include "heed/view/attention.h"

namespace heed::view {

void save_picture(const std::string& path, const PictureFormats& formats) {
  const std::pair<std::string_view, const std::function<std::string()>*> known[] = {{".svg", &formats.svg},
                                                                                    {".png", &formats.png},
                                                                                    {".html", &formats.html},
                                                                                    {".json", &formats.json},
                                                                                    {".txt", &formats.txt}};
  std::string endings;
  for (const auto& [ending, write] : known) {
    if (!*write) continue;
    if (path.size() > ending.size() && path.ends_with(ending)) return write_file(path, (*write)());
    endings += (endings.empty() ? "" : ", ") + std::string(ending);
  }
  fail_input("{}: the ending of the name says what is written; known are {}", path, endings);
}

void save_scene(const std::string& path, const Scene& scene) {
  save_picture(path, {[&] { return to_svg(scene); }, [&] { return to_png(scene); }, {}, {}, {}});
}

void save_attention(const std::string& path, const AttentionMap& map) {
  save_picture(
      path, {[&] { return to_svg(attention_pictures(map)); }, [&] { return to_png(attention_pictures(map)); },
             [&] { return attention_page(map); }, [&] { return attention_json(map); },
             [&] {
               std::string out;
               for (size_t i = 0; i < map.heads.size(); ++i)
                 out += (i > 0 ? "\n" : "") + attention_text(map, i);
               return out;
             }});
}

void save_words(const std::string& path, const WordWeights& text) {
  save_picture(path, {[&] { return to_svg(words_picture(text)); },
                      [&] { return to_png(words_picture(text)); }, [&] { return words_page(text); },
                      [&] { return words_json(text); }, [&] { return words_text(text); }});
}

}  // namespace heed::view
