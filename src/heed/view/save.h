// Pictures to files, the format chosen by the name.
#pragma once

#include <functional>
#include <string>

#include "heed/view/scene.h"

namespace heed::view {

// What makes each format; a missing one is a format that this picture does not have.
struct PictureFormats {
  std::function<Scene()> scene;  // .svg and .png
  std::function<std::string()> html, json, txt;
};

// Returns a remark for the user where the file shows something else than it was given: letters transliterated
// for a PNG. Throws InputError naming the known endings where the path has another, Error where the file
// cannot be written.
std::string save_picture(const std::string& path, const PictureFormats& formats);

// SVG or PNG; returns and throws what save_picture does.
std::string save_scene(const std::string& path, const Scene& scene);

}  // namespace heed::view
