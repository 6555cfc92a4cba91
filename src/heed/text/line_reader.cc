#include "heed/text/line_reader.h"

#include <poll.h>
#include <unistd.h>
#include <zlib.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "heed/base/error.h"
#include "heed/base/text_util.h"

namespace heed {

void check_line(std::string_view line, std::string_view name, int64_t number) {
  if (const size_t nul = line.find('\0'); nul != line.npos)
    fail_input("{}:{}: a NUL byte at byte {}; text is expected, is this a binary file or UTF-16?", name,
               number, nul + 1);
  if (const size_t bad = find_invalid_utf8(line); bad != line.npos)
    fail_input(
        "{}:{}: invalid UTF-8 at byte {} (0x{:02x}); convert the file, for example with iconv -t UTF-8", name,
        number, bad + 1, static_cast<unsigned char>(line[bad]));
}

// Gives up to `size` bytes, 0 at the end. `where` goes into messages.
class LineReader::Source {
 public:
  virtual ~Source() = default;
  virtual size_t read(char* bytes, size_t size, const std::string& where) = 0;
  // Whether read() returns at once, or would within this time.
  virtual bool ready(std::chrono::milliseconds) const { return true; }
};

// zlib reads plain files through the same calls.
class LineReader::GzipFile : public Source {
 public:
  explicit GzipFile(const std::string& path) : file_(gzopen(path.c_str(), "rb")) {
    if (!file_) fail_input("{}: cannot be opened: {}", path, std::strerror(errno));
    gzbuffer(file_, 1 << 17);
  }
  ~GzipFile() override { gzclose(file_); }
  GzipFile(const GzipFile&) = delete;
  GzipFile& operator=(const GzipFile&) = delete;

  size_t read(char* bytes, size_t size, const std::string& where) override {
    errno = 0;
    const int count = gzread(file_, bytes, static_cast<unsigned>(size));
    if (count > 0) return static_cast<size_t>(count);
    int code = Z_OK;
    const char* message = gzerror(file_, &code);
    if (code == Z_BUF_ERROR) fail_input("{}: the gzip file is truncated; copy it again", where);
    if (code == Z_ERRNO) fail_input("{}: cannot be read: {}", where, std::strerror(errno));
    if (code != Z_OK && code != Z_STREAM_END)
      fail_input("{}: the gzip file is damaged ({}); copy it again", where, message);
    return 0;
  }

 private:
  gzFile file_;
};

class LineReader::Descriptor : public Source {
 public:
  explicit Descriptor(int descriptor) : descriptor_(descriptor) {}

  size_t read(char* bytes, size_t size, const std::string& where) override {
    ssize_t count = 0;
    do {
      count = ::read(descriptor_, bytes, size);
    } while (count < 0 && errno == EINTR);
    if (count < 0) fail_input("{}: cannot be read: {}", where, std::strerror(errno));
    return static_cast<size_t>(count);
  }

  // An end or an error makes read() return, too.
  bool ready(std::chrono::milliseconds within) const override {
    pollfd asked{.fd = descriptor_, .events = POLLIN, .revents = 0};
    return ::poll(&asked, 1, static_cast<int>(within.count())) != 0;
  }

 private:
  int descriptor_;
};

LineReader::LineReader(std::unique_ptr<Source> source, std::string name, size_t limit)
    : source_(std::move(source)), name_(std::move(name)), limit_(limit), buffer_(size_t{1} << 16, '\0') {}

LineReader::LineReader(const std::string& path, size_t limit)
    : LineReader(std::make_unique<GzipFile>(path), path, limit) {}

LineReader::LineReader(int descriptor, std::string name, size_t limit)
    : LineReader(std::make_unique<Descriptor>(descriptor), std::move(name), limit) {}

LineReader::~LineReader() = default;
LineReader::LineReader(LineReader&&) noexcept = default;
LineReader& LineReader::operator=(LineReader&&) noexcept = default;

std::string LineReader::where() const {
  return fmt::format("{}:{}", name_, number_);
}

bool LineReader::fill() {
  position_ = 0;
  available_ = source_->read(buffer_.data(), buffer_.size(), fmt::format("{}:{}", name_, number_ + 1));
  return available_ > 0;
}

bool LineReader::ready(std::chrono::milliseconds within) const {
  return std::memchr(buffer_.data() + position_, '\n', available_ - position_) != nullptr ||
         source_->ready(within);
}

bool LineReader::next(std::string& line) {
  line.clear();
  bool ended = false, any = false;
  while (!ended && (position_ < available_ || fill())) {
    any = true;
    const char* begin = buffer_.data() + position_;
    const auto* newline = static_cast<const char*>(std::memchr(begin, '\n', available_ - position_));
    const size_t count = newline ? static_cast<size_t>(newline - begin) : available_ - position_;
    line.append(begin, count);
    position_ += count + (newline ? 1 : 0);
    ended = newline != nullptr;
    if (line.size() >= limit_)
      fail_input("{}:{}: a line of {} bytes or more; one sentence a line is expected", name_, number_ + 1,
                 limit_);
  }
  if (!any) return false;
  ++number_;
  if (!line.empty() && line.back() == '\r') line.pop_back();
  if (number_ == 1 && line.starts_with("\xEF\xBB\xBF")) line.erase(0, 3);
  check_line(line, name_, number_);
  return true;
}

}  // namespace heed
