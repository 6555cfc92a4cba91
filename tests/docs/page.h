// The pages as the tests read them: fenced blocks with their language and place.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "heed/base/file.h"
#include "heed/base/text_util.h"

namespace heed::test {

struct Block {
  std::string language;  // the word after the fence
  std::string mark;      // the comment on the line above, "tested" of <!-- tested -->
  std::string place;     // page:line of its first line
  std::string text;
};

struct Page {
  std::string name;  // relative to the repository
  std::string text;
  std::vector<Block> blocks;
};

inline Page read_page(const std::string& name) {
  Page page{name, read_file(HEED_SOURCE_DIR "/" + name), {}};
  bool inside = false;
  std::string before;
  int64_t number = 0;
  for (const std::string& line : split(page.text, '\n')) {
    ++number;
    if (line.starts_with("```")) {
      inside = !inside;
      const bool marked = before.starts_with("<!-- ") && before.ends_with(" -->");
      if (inside)
        page.blocks.push_back({line.substr(3), marked ? before.substr(5, before.size() - 9) : "",
                               name + ":" + std::to_string(number + 1), ""});
    } else if (inside) {
      page.blocks.back().text += line + "\n";
    }
    before = line;
  }
  return page;
}

// README.md and everything in docs/ and recipes/ that is a page.
inline std::vector<Page> all_pages() {
  std::vector<Page> pages = {read_page("README.md")};
  for (const std::string& name : list_folder(HEED_SOURCE_DIR "/docs"))
    if (name.ends_with(".md")) pages.push_back(read_page("docs/" + name));
  for (const std::string& task : list_folder(HEED_SOURCE_DIR "/recipes")) {
    const std::string name = "recipes/" + task + "/README.md";
    if (file_exists(HEED_SOURCE_DIR "/" + name)) pages.push_back(read_page(name));
  }
  return pages;
}

}  // namespace heed::test
