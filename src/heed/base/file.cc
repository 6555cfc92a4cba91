#include "heed/base/file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <optional>
#include <system_error>
#include <utility>

#include "heed/base/error.h"

namespace heed {
namespace {

namespace fs = std::filesystem;

std::string reason(int error) {
  return std::system_category().message(error);
}

[[noreturn]] void fail_reading(const std::string& path, int error) {
  fail_input("{}: cannot be read: {}", path, reason(error));
}

[[noreturn]] void fail_writing(const std::string& path, int error) {
  fail_input("{}: cannot be written: {}", path, reason(error));
}

// Closes a descriptor that is only read from.
class Descriptor {
 public:
  explicit Descriptor(int file) : file_(file) {}
  ~Descriptor() {
    if (file_ >= 0) ::close(file_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return file_; }

 private:
  int file_;
};

std::string folder_of(const std::string& path) {
  const size_t slash = path.rfind('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

// What a symbolic link says; nothing where there is none.
std::optional<std::string> target_of_link(const std::string& path) {
  std::string target(PATH_MAX, '\0');
  const ssize_t size = ::readlink(path.c_str(), target.data(), target.size());
  if (size < 0) return std::nullopt;
  target.resize(static_cast<size_t>(size));
  return target;
}

// Where a name leads through symbolic links, though nothing may be there yet.
std::string resolved(const std::string& path) {
  constexpr int kMostLinks = 40;  // as many as Linux follows
  std::string name = path;
  for (int links = 0; links <= kMostLinks; ++links) {
    const std::unique_ptr<char, decltype(&std::free)> real(::realpath(name.c_str(), nullptr), &std::free);
    if (real) return real.get();
    const std::optional<std::string> target = target_of_link(name);
    if (!target) return name;
    name = target->starts_with('/') ? *target : folder_of(name) + "/" + *target;
  }
  fail_writing(path, ELOOP);
}

constexpr std::string_view kTemporary = ".heed-", kTemporaryEnd = ".tmp";

// .heed-PROCESS-COUNT.tmp beside the target, however long that one's name is; it may be taken by what another
// process of this number left when it was killed.
std::string next_temporary(const std::string& target) {
  static std::atomic<unsigned> count = 0;
  return fmt::format("{}/{}{}-{}{}", folder_of(target), kTemporary, ::getpid(), count++, kTemporaryEnd);
}

// True when all of it was written; otherwise errno says why.
bool write_all(int file, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(file, bytes.data(), bytes.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return false;
    bytes = bytes.subspan(static_cast<size_t>(count));
  }
  return true;
}

// True when the data is on the disk or the file system has no such notion.
bool sync_all(int file) {
  return ::fsync(file) == 0 || errno == EINVAL || errno == EROFS;
}

}  // namespace

bool is_left_by_writer(std::string_view name) {
  if (!name.starts_with(kTemporary) || !name.ends_with(kTemporaryEnd)) return false;
  name.remove_prefix(kTemporary.size());
  name.remove_suffix(std::min(name.size(), kTemporaryEnd.size()));
  const size_t dash = name.find('-');
  const auto is_number = [](std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == text.npos;
  };
  return dash != name.npos && is_number(name.substr(0, dash)) && is_number(name.substr(dash + 1));
}

std::string read_file(const std::string& path, size_t limit) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) fail_reading(path, errno);
  std::string contents;
  struct stat status {};
  if (::fstat(file.get(), &status) == 0 && S_ISREG(status.st_mode))
    contents.reserve(std::min(limit, static_cast<size_t>(status.st_size)) + 1);
  constexpr size_t kPiece = size_t{1} << 16;
  size_t size = 0;
  while (true) {
    contents.resize(std::max(contents.capacity(), size + kPiece));
    const ssize_t count = ::read(file.get(), contents.data() + size, contents.size() - size);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) fail_reading(path, errno);
    if (count == 0) break;
    size += static_cast<size_t>(count);
    if (size > limit) fail_input("{}: longer than the {} bytes that such a file may have", path, limit);
  }
  contents.resize(size);
  return contents;
}

FileLines::FileLines(std::string path, size_t longest) : path_(std::move(path)), longest_(longest) {
  file_ = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  if (file_ < 0) fail_reading(path_, errno);
}

FileLines::~FileLines() {
  ::close(file_);
}

bool FileLines::read_on() {
  constexpr size_t kPiece = size_t{1} << 16;
  piece_.resize(kPiece);
  ssize_t count = 0;
  do {
    count = ::read(file_, piece_.data(), piece_.size());
  } while (count < 0 && errno == EINTR);
  if (count < 0) fail_reading(path_, errno);
  piece_.resize(static_cast<size_t>(count));
  at_ = 0;
  return count > 0;
}

bool FileLines::next(std::string& line) {
  line.clear();
  ended_ = false;
  bool any = false;
  while (!ended_ && (at_ < piece_.size() || read_on())) {
    any = true;
    const size_t end = piece_.find('\n', at_);
    ended_ = end != std::string::npos;
    const size_t stop = ended_ ? end : piece_.size();
    line.append(piece_, at_, stop - at_);
    at_ = stop + (ended_ ? 1 : 0);
    if (line.size() > longest_)
      fail_input("{}:{}: longer than the {} bytes that such a line may have", path_, number_ + 1, longest_);
  }
  if (any) ++number_;
  return any;
}

bool file_exists(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && !S_ISDIR(status.st_mode);
}

bool can_be_read_once(const std::string& path) {
  std::error_code ignored;
  const fs::file_status status = fs::status(path, ignored);
  return fs::exists(status) && !fs::is_regular_file(status) && !fs::is_directory(status);
}

bool folder_exists(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

std::vector<std::string> list_folder(const std::string& path) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator entry(path, error); !error && entry != fs::directory_iterator();
       entry.increment(error))
    names.push_back(entry->path().filename().string());
  if (error) fail_reading(path, error.value());
  std::sort(names.begin(), names.end());
  return names;
}

void create_folders(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) fail_input("{}: the folder cannot be created: {}", path, error.message());
  if (!folder_exists(path)) fail_input("{}: a file is where a folder should be", path);
}

void require_place_for_folder(const std::string& path) {
  std::error_code error;
  fs::path there = fs::absolute(path, error);
  while (!error && !fs::exists(there, error) && there.has_relative_path()) there = there.parent_path();
  if (error) fail_input("{}: the folder cannot be created: {}", path, error.message());
  if (!folder_exists(there))
    fail_input("{}: the folder cannot be created: {} is a file", path, there.string());
  if (::access(there.c_str(), W_OK | X_OK) == 0) return;
  const int denied = errno;
  if (folder_exists(path)) fail_input("{}: nothing can be written in this folder: {}", path, reason(denied));
  fail_input("{}: the folder cannot be created: {}: {}", path, there.string(), reason(denied));
}

void remove_tree(const std::string& path) {
  std::error_code error;
  fs::remove_all(path, error);
  if (error) fail_input("{}: cannot be removed: {}", path, error.message());
}

void sync_folder(const std::string& path) {
  const Descriptor folder(::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (folder.get() < 0 || !sync_all(folder.get())) fail_writing(path, errno);
}

FileWriter::FileWriter(std::string path) : path_(std::move(path)) {
  struct stat status {};
  const bool there = ::stat(path_.c_str(), &status) == 0;
  if (there && S_ISDIR(status.st_mode)) fail_writing(path_, EISDIR);
  direct_ = there && !S_ISREG(status.st_mode);
  if (direct_) {
    file_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
  } else if (!open_nameless(resolved(path_))) {
    open_named(resolved(path_));
  }
  if (file_ < 0) fail_writing(path_, errno);
  if (there && !direct_ && ::fchmod(file_, status.st_mode & 07777) != 0) {
    const int error = errno;
    drop();
    fail_writing(path_, error);
  }
}

// Only where it can be given a name later.
bool FileWriter::open_nameless(const std::string& target) {
  if (::access("/proc/self/fd", X_OK) != 0) return false;
  file_ = ::open(folder_of(target).c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0666);
  return file_ >= 0;
}

void FileWriter::open_named(const std::string& target) {
  do {
    temporary_ = next_temporary(target);
    file_ = ::open(temporary_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  } while (file_ < 0 && errno == EEXIST);
}

void FileWriter::give_name(const std::string& target) {
  const std::string file = fmt::format("/proc/self/fd/{}", file_);
  std::string name;
  do {
    name = next_temporary(target);
    if (::linkat(AT_FDCWD, file.c_str(), AT_FDCWD, name.c_str(), AT_SYMLINK_FOLLOW) == 0) {
      temporary_ = name;
      return;
    }
  } while (errno == EEXIST);
  fail_writing(path_, errno);
}

FileWriter::~FileWriter() {
  drop();
}

void FileWriter::drop() {
  if (file_ < 0) return;
  ::close(std::exchange(file_, -1));
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
}

void FileWriter::write(std::span<const std::byte> bytes) {
  constexpr size_t kBuffer = size_t{1} << 16;
  if (buffer_.size() + bytes.size() > kBuffer) flush();
  if (bytes.size() > kBuffer) {
    write_out(bytes);
  } else {
    buffer_.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
}

void FileWriter::flush() {
  write_out(std::as_bytes(std::span(buffer_)));
  buffer_.clear();
}

void FileWriter::write_out(std::span<const std::byte> bytes) {
  require(file_ >= 0, "{}: written after commit()", path_);
  if (!write_all(file_, bytes)) fail_writing(path_, errno);
}

void FileWriter::commit() {
  flush();
  if (!direct_) {
    if (!sync_all(file_)) fail_writing(path_, errno);
    const std::string target = resolved(path_);
    if (temporary_.empty()) give_name(target);
    if (::rename(temporary_.c_str(), target.c_str()) != 0) fail_writing(path_, errno);
    temporary_.clear();
    sync_folder(folder_of(target));
  }
  if (::close(std::exchange(file_, -1)) != 0) fail_writing(path_, errno);
}

void write_file(const std::string& path, std::string_view contents) {
  FileWriter writer(path);
  writer.write(contents);
  writer.commit();
}

FileAppender::FileAppender(std::string path) : path_(std::move(path)) {
  file_ = ::open(path_.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0666);
  if (file_ < 0) fail_writing(path_, errno);
}

FileAppender::~FileAppender() {
  ::close(file_);
}

void FileAppender::append(std::string_view piece) {
  const off_t end = ::lseek(file_, 0, SEEK_END);
  if (write_all(file_, std::as_bytes(std::span(piece)))) return;
  const int error = errno;
  const bool taken_back = end >= 0 && ::ftruncate(file_, end) == 0;
  fail_input("{}: cannot be written{}: {}", path_, taken_back ? "" : " (its last line may be cut)",
             reason(error));
}

void FileAppender::sync() {
  if (!sync_all(file_)) fail_writing(path_, errno);
}

MappedFile::MappedFile(const std::string& path) {
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) fail_reading(path, errno);
  struct stat status {};
  if (::fstat(file.get(), &status) != 0) fail_reading(path, errno);
  if (S_ISDIR(status.st_mode)) fail_reading(path, EISDIR);
  if (!S_ISREG(status.st_mode)) fail_input("{}: not a plain file, which it must be to be mapped", path);
  size_ = static_cast<size_t>(status.st_size);
  if (size_ == 0) return;
  void* data = ::mmap(nullptr, size_, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (data == MAP_FAILED) fail_reading(path, errno);
  data_ = static_cast<const std::byte*>(data);
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<std::byte*>(data_), size_);
}

FolderLock::FolderLock(const std::string& folder) {
  const std::string path = folder + "/.lock";
  file_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (file_ < 0) fail_writing(path, errno);
  if (::flock(file_, LOCK_EX | LOCK_NB) != 0) {
    const int error = errno;
    ::close(file_);
    if (error != EWOULDBLOCK) fail_writing(path, error);
    const std::string holder = read_file(path, 4096);
    fail_input("{}: in use by {}. Wait for it or stop it, or choose another folder.", folder,
               holder.empty() ? "another process" : holder);
  }
  char host[256] = "";
  ::gethostname(host, sizeof(host) - 1);
  const std::string holder = fmt::format("process {} on {}", ::getpid(), host);
  // Only words for the message: the lock holds whether or not they can be written.
  if (::ftruncate(file_, 0) == 0) write_all(file_, std::as_bytes(std::span(holder)));
}

FolderLock::~FolderLock() {
  ::close(file_);
}

}  // namespace heed
