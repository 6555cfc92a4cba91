#include "heed/text/line_reader.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#include <zlib.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>
#include <utility>
#include <vector>

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

// The bytes of a descriptor as they come; where they begin as gzip data, those that are in it.
class LineReader::Source {
 public:
  // Closes it in the end if it is its own.
  Source(int descriptor, bool own) : descriptor_(descriptor), own_(own), waiting_(size_t{1} << 17) {}
  ~Source() {
    if (zipped_) inflateEnd(&zip_);
    if (own_) ::close(descriptor_);
  }
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  // Gives up to `size` bytes, 0 at the end. `where` goes into messages.
  size_t read(char* bytes, size_t size, const std::string& where) {
    if (!begun_) begin(where);
    if (zipped_) return unzip(bytes, size, where);
    if (left_ == 0) return read_raw(bytes, size, where);
    const size_t count = std::min(size, left_);
    std::memcpy(bytes, waiting_.data() + at_, count);
    take(count);
    return count;
  }

  // Whether read() returns at once, or would within this time. An end or an error makes it return, too.
  bool ready(std::chrono::milliseconds within) const {
    if (left_ > 0) return true;
    pollfd asked{.fd = descriptor_, .events = POLLIN, .revents = 0};
    return ::poll(&asked, 1, static_cast<int>(within.count())) != 0;
  }

 private:
  static constexpr unsigned char kFirst = 0x1f, kSecond = 0x8b;  // of gzip data

  size_t read_raw(char* bytes, size_t size, const std::string& where) {
    ssize_t count = 0;
    do {
      count = ::read(descriptor_, bytes, size);
    } while (count < 0 && errno == EINTR);
    if (count < 0) fail_input("{}: cannot be read: {}", where, std::strerror(errno));
    return static_cast<size_t>(count);
  }

  // Reads on behind the few bytes that wait; false at the end.
  bool fill(const std::string& where) {
    std::memmove(waiting_.data(), waiting_.data() + at_, left_);
    at_ = 0;
    const size_t count = read_raw(waiting_.data() + left_, waiting_.size() - left_, where);
    left_ += count;
    return count > 0;
  }
  void take(size_t count) {
    at_ += count;
    left_ -= count;
  }

  bool may_begin_as_gzip() const { return left_ == 0 || static_cast<unsigned char>(waiting_[at_]) == kFirst; }
  bool begins_as_gzip() const {
    return left_ >= 2 && may_begin_as_gzip() && static_cast<unsigned char>(waiting_[at_ + 1]) == kSecond;
  }

  void begin(const std::string& where) {
    begun_ = true;
    while (left_ < 2 && may_begin_as_gzip() && fill(where)) continue;
    if (!begins_as_gzip()) return;
    constexpr int kLargestWindow = 15, kGzip = 16;
    require(inflateInit2(&zip_, kLargestWindow + kGzip) == Z_OK, "{}: zlib cannot begin", where);
    zipped_ = true;
  }

  size_t unzip(char* bytes, size_t size, const std::string& where) {
    zip_.next_out = reinterpret_cast<Bytef*>(bytes);
    zip_.avail_out = static_cast<uInt>(size);
    while (zip_.avail_out == size) {
      if (between_members_ && !next_member(where)) return 0;
      zip_.next_in = reinterpret_cast<Bytef*>(waiting_.data() + at_);
      zip_.avail_in = static_cast<uInt>(left_);
      const int code = inflate(&zip_, Z_NO_FLUSH);  // may have more to give without more to read
      if (code == Z_MEM_ERROR) throw std::bad_alloc();
      if (code != Z_OK && code != Z_STREAM_END && code != Z_BUF_ERROR)
        fail_input("{}: the gzip file is damaged ({}); copy it again", where,
                   zip_.msg != nullptr ? zip_.msg : "it needs a dictionary");
      take(left_ - zip_.avail_in);
      between_members_ = code == Z_STREAM_END;
      if (!between_members_ && zip_.avail_out == size && left_ == 0 && !fill(where))
        fail_input("{}: the gzip file is truncated; copy it again", where);
    }
    return size - zip_.avail_out;
  }

  // What follows a member: another one, or zeros that fill a block. False at the end.
  bool next_member(const std::string& where) {
    while (left_ < 2 && fill(where)) continue;
    if (begins_as_gzip()) {
      inflateReset(&zip_);
      between_members_ = false;
      return true;
    }
    for (; left_ > 0 || fill(where); take(left_)) {
      const char* waiting = waiting_.data() + at_;
      if (std::any_of(waiting, waiting + left_, [](char byte) { return byte != 0; }))
        fail_input("{}: text follows the gzip data; zip all of it, or none", where);
    }
    return false;
  }

  int descriptor_;
  bool own_;
  bool begun_ = false, zipped_ = false, between_members_ = false;
  std::vector<char> waiting_;  // to be given, or to be unzipped:
  size_t at_ = 0, left_ = 0;   // so many from here on
  z_stream zip_ = {};
};

LineReader::LineReader(std::unique_ptr<Source> source, std::string name, size_t limit)
    : source_(std::move(source)), name_(std::move(name)), limit_(limit), buffer_(size_t{1} << 16, '\0') {}

LineReader::LineReader(const std::string& path, size_t limit) : LineReader(nullptr, path, limit) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) fail_input("{}: cannot be opened: {}", path, std::strerror(errno));
  source_ = std::make_unique<Source>(descriptor, true);
}

LineReader::LineReader(int descriptor, std::string name, size_t limit)
    : LineReader(std::make_unique<Source>(descriptor, false), std::move(name), limit) {}

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
