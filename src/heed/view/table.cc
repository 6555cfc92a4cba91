#include "heed/view/table.h"

#include <algorithm>

#include "heed/base/error.h"
#include "heed/view/text.h"

namespace heed::view {
namespace {

bool is_number(const std::string& cell) {
  bool digit = false;
  for (const std::string& character : clusters(cell)) {
    const bool is_digit = character[0] >= '0' && character[0] <= '9';
    digit |= is_digit;
    static constexpr std::string_view kAround = "+-−–±.,%x× e";
    if (!is_digit && kAround.find(character) == std::string_view::npos) return false;
  }
  return digit || cell.empty() || cell == "–";
}

struct Layout {
  std::vector<int> widths;
  std::vector<Align> aligns;
  std::vector<std::vector<std::string>> lines;  // the heading, then the rows
};

template <class Shown>
Layout lay_out(const Table& table, Shown shown) {
  Layout layout;
  const size_t n = table.columns.size();
  layout.widths.assign(n, 0);
  layout.aligns.assign(n, table.rows.empty() ? Align::left : Align::right);
  const auto add = [&](const std::vector<std::string>& cells, bool heading) {
    require(cells.size() == n, "a table of {} columns has a row of {} cells", n, cells.size());
    layout.lines.emplace_back();
    for (size_t i = 0; i < n; ++i) {
      layout.lines.back().push_back(shown(cells[i]));
      layout.widths[i] = std::max(layout.widths[i], display_width(layout.lines.back().back()));
      if (!heading && !is_number(cells[i])) layout.aligns[i] = Align::left;
    }
  };
  add(table.columns, true);
  for (const auto& row : table.rows) add(row, false);
  return layout;
}

}  // namespace

std::string table_markdown(const Table& table) {
  Layout layout = lay_out(table, [](const std::string& cell) {
    std::string out;
    for (const char c : clean_text(cell)) {
      if (c == '|' || c == '<' || c == '`' || c == '*' || c == '\\') out += '\\';
      out += c;
    }
    return out;
  });
  std::string out;
  for (size_t row = 0; row < layout.lines.size(); ++row) {
    out += '|';
    for (size_t i = 0; i < table.columns.size(); ++i)
      out += ' ' + pad(layout.lines[row][i], std::max(3, layout.widths[i]), layout.aligns[i]) + " |";
    out += '\n';
    if (row > 0) continue;
    out += '|';
    for (size_t i = 0; i < table.columns.size(); ++i)
      out += ' ' + std::string(std::max(3, layout.widths[i]) - 1, '-') +
             (layout.aligns[i] == Align::right ? ": |" : "- |");
    out += '\n';
  }
  return out;
}

std::string table_text(const Table& table, bool unicode) {
  const Layout layout =
      lay_out(table, [&](const std::string& cell) { return unicode ? clean_text(cell) : to_ascii(cell); });
  std::string out;
  for (size_t row = 0; row < layout.lines.size(); ++row) {
    for (size_t i = 0; i < table.columns.size(); ++i)
      out += (i > 0 ? "  " : "") + pad(layout.lines[row][i], layout.widths[i], layout.aligns[i]);
    out.erase(out.find_last_not_of(' ') + 1);
    out += '\n';
    if (row > 0) continue;
    for (size_t i = 0; i < table.columns.size(); ++i) {
      if (i > 0) out += "  ";
      for (int k = 0; k < layout.widths[i]; ++k) out += unicode ? "─" : "-";
    }
    out += '\n';
  }
  return out;
}

}  // namespace heed::view
