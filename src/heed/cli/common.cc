#include "heed/cli/common.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <clocale>
#include <cstring>

#include "heed/base/file.h"
#include "heed/base/progress.h"
#include "heed/base/text_util.h"

namespace heed::cli {

bool is_stream(const std::string& path) {
  return path.empty() || path == "-" || path == "/dev/stdin" || path == "/dev/stdout";
}

LineReader open_input(const std::string& path) {
  if (is_stream(path)) return LineReader(STDIN_FILENO, "standard input");
  return LineReader(path);
}

void for_blocks_of_lines(LineReader& reader, int64_t block,
                         const std::function<void(const std::vector<std::string>& lines)>& work) {
  constexpr std::chrono::milliseconds kPatience{20};  // what a pause between two lines of a stream may last
  std::vector<std::string> lines;
  for (std::string line; reader.next(line);) {
    lines.push_back(line);
    if (static_cast<int64_t>(lines.size()) < block && reader.ready(kPatience)) continue;
    work(lines);
    lines.clear();
  }
  work(lines);
}

std::vector<std::string> split_at_commas(const std::vector<std::string>& texts) {
  return split(joined(texts, ","), ',');
}

view::TerminalStyle terminal_style() {
  view::TerminalStyle style;
  winsize size{};
  if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) style.width = size.ws_col;
  const char* locale = std::setlocale(LC_CTYPE, "");
  style.unicode = locale == nullptr || isatty(STDOUT_FILENO) == 0 ||
                  std::strstr(locale, "UTF-8") != nullptr || std::strstr(locale, "utf8") != nullptr;
  style.colour = is_live_terminal(stdout);
  return style;
}

void remark(const std::string& text) {
  if (!text.empty()) std::fprintf(stderr, "heed: %s\n", text.c_str());
}

struct Output::File {
  explicit File(const std::string& path) : writer(path) {}
  FileWriter writer;
};

Output::Output(const std::string& path) {
  if (is_stream(path)) return;
  if (path.ends_with(".gz"))
    fail_input(
        "{}: what heed writes is not zipped; give another name, or write to standard output and zip that",
        path);
  file_ = std::make_unique<File>(path);
}

Output::~Output() = default;

void Output::write(const std::string& text) {
  if (file_) {
    file_->writer.write(text);
  } else if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size()) {
    fail_input("standard output: cannot be written: {}", std::strerror(errno));
  }
}

void Output::flush() {
  if (file_) return file_->writer.pass_on();
  if (std::fflush(stdout) != 0) fail_input("standard output: cannot be written: {}", std::strerror(errno));
}

void Output::commit() {
  flush();
  if (file_) file_->writer.commit();
}

}  // namespace heed::cli
