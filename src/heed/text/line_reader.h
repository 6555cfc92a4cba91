// Lines of text out of a file or a descriptor, plain or gzip. Every byte is treated as hostile.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace heed {

// Lines of this many bytes or more are refused.
constexpr size_t kLineLimit = 1'000'000;

// Throws InputError "NAME:LINE: ..." for a line with a NUL byte or invalid UTF-8 (naming the byte).
void check_line(std::string_view line, std::string_view name, int64_t number);

// Reads one line after another. A carriage return before the line's end and a byte order mark at the start
// are dropped; the last line may lack its end. Every reading error is an InputError naming file and line: a
// file that cannot be opened or read, a truncated or damaged gzip or one that text follows, a line over the
// limit, a NUL byte, invalid UTF-8.
class LineReader {
 public:
  explicit LineReader(const std::string& path, size_t limit = kLineLimit);
  // Reads what an open descriptor has as it comes (a terminal, a pipe), and leaves it open; `name` stands for
  // it in messages.
  LineReader(int descriptor, std::string name, size_t limit = kLineLimit);
  ~LineReader();
  LineReader(LineReader&&) noexcept;
  LineReader& operator=(LineReader&&) noexcept;

  // False at the end, `line` is then empty.
  bool next(std::string& line);

  // Whether next() has something to give, or begins to, at once or within this time. Plain files always have.
  bool ready(std::chrono::milliseconds within) const;

  int64_t number() const { return number_; }  // of the line last given, from 1; 0 before the first
  const std::string& name() const { return name_; }
  std::string where() const;  // "NAME:LINE"

 private:
  class Source;

  LineReader(std::unique_ptr<Source> source, std::string name, size_t limit);
  bool fill();

  std::unique_ptr<Source> source_;
  std::string name_;
  size_t limit_;
  int64_t number_ = 0;
  std::string buffer_;
  size_t position_ = 0;
  size_t available_ = 0;
};

}  // namespace heed
