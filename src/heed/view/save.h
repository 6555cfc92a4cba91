// Pictures to files, the format chosen by the name.
#pragma once

#include <functional>
#include <string>

#include "heed/view/scene.h"

namespace heed::view {

// One writer a format; a missing one is a format that this picture does not have.
struct PictureFormats {
  std::function<std::string()> svg, png, html, json, txt;
};

// Throws InputError naming the known endings where the path has another, Error where the file cannot be
// written.
void save_picture(const std::string& path, const PictureFormats& formats);

// SVG or PNG.
void save_scene(const std::string& path, const Scene& scene);

}  // namespace heed::view
