// What the tests of pictures need: is the markup well-formed, what colour has a pixel.
#pragma once

#include <gtest/gtest.h>
#include <png.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "heed/view/colour.h"

namespace heed::view {

// Empty when the text is well-formed XML (after an HTML doctype, and with style and script taken as they
// are); else what is wrong with it and where.
inline std::string markup_fault(std::string_view text) {
  std::vector<std::string> open;
  const auto fault = [&](const char* what, size_t at) {
    return std::string(what) + " near: " + std::string(text.substr(at, 60));
  };
  const auto check_text = [](std::string_view part) {
    for (size_t i = 0; i < part.size(); ++i) {
      const auto c = static_cast<unsigned char>(part[i]);
      if (c < ' ' && c != '\n') return false;
      if (c == '<' || c == '>') return false;
      if (c != '&') continue;
      const std::string_view entity = part.substr(i, part.find(';', i) - i);
      if (entity != "&amp" && entity != "&lt" && entity != "&gt" && entity != "&quot" && entity != "&#39")
        return false;
    }
    return true;
  };
  size_t i = 0;
  if (text.starts_with("<!DOCTYPE html>")) i = 15;
  while (i < text.size()) {
    const size_t tag = text.find('<', i);
    if (!check_text(text.substr(i, tag - i))) return fault("bare text", i);
    if (tag == std::string_view::npos) break;
    size_t end = tag + 1;
    const bool closing = text[end] == '/';
    if (closing) ++end;
    const size_t name_begin = end;
    while (end < text.size() && std::isalnum(static_cast<unsigned char>(text[end]))) ++end;
    const std::string name(text.substr(name_begin, end - name_begin));
    if (name.empty()) return fault("no name of a tag", tag);
    while (end < text.size() && text[end] != '>' && text[end] != '/') {
      const size_t equals = text.find('=', end), quote = equals + 1;
      if (text[end] != ' ' || equals == std::string_view::npos || text[quote] != '"')
        return fault("attribute", tag);
      const size_t close = text.find('"', quote + 1);
      if (close == std::string_view::npos || !check_text(text.substr(quote + 1, close - quote - 1)))
        return fault("value of an attribute", tag);
      end = close + 1;
    }
    const bool empty = text[end] == '/';
    if (empty) ++end;
    if (text[end] != '>') return fault("end of a tag", tag);
    i = end + 1;
    if (closing) {
      if (open.empty() || open.back() != name) return fault("closing tag", tag);
      open.pop_back();
    } else if (!empty) {
      open.push_back(name);
      if (name == "style" || name == "script") i = text.find("</" + name, i);
    }
  }
  return open.empty() ? "" : "not closed: " + open.back();
}

struct Picture {
  int width = 0, height = 0;
  std::vector<uint8_t> pixels;  // [height, width, 3]

  Colour at(int x, int y) const {
    const uint8_t* p = &pixels.at((static_cast<size_t>(y) * width + x) * 3);
    return {p[0], p[1], p[2]};
  }
  // Pixels of exactly this colour within the rectangle.
  int count(Colour colour, int left = 0, int top = 0, int right = 1 << 30, int bottom = 1 << 30) const {
    int found = 0;
    for (int y = top; y < std::min(bottom, height); ++y)
      for (int x = left; x < std::min(right, width); ++x) found += at(x, y) == colour;
    return found;
  }
};

inline Picture read_png(const std::string& bytes) {
  png_image image = {};
  image.version = PNG_IMAGE_VERSION;
  EXPECT_NE(png_image_begin_read_from_memory(&image, bytes.data(), bytes.size()), 0) << image.message;
  image.format = PNG_FORMAT_RGB;
  Picture picture{static_cast<int>(image.width), static_cast<int>(image.height), {}};
  picture.pixels.resize(PNG_IMAGE_SIZE(image));
  EXPECT_NE(png_image_finish_read(&image, nullptr, picture.pixels.data(), 0, nullptr), 0) << image.message;
  return picture;
}

}  // namespace heed::view
