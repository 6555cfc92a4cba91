// Tables for people: as Markdown for a page, aligned for a terminal.
#pragma once

#include <string>
#include <vector>

namespace heed::view {

struct Table {
  std::vector<std::string> columns;
  std::vector<std::vector<std::string>> rows;  // each as long as columns; Error otherwise
};

// Columns whose cells are all numbers stand to the right.
std::string table_markdown(const Table& table);
std::string table_text(const Table& table, bool unicode = true);

}  // namespace heed::view
