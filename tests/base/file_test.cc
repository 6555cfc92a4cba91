#include "heed/base/file.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>

#include "heed/base/error.h"
#include "tests/support/temporary_folder.h"

namespace heed {
namespace {

std::string error_of(const auto& action) {
  try {
    action();
  } catch (const InputError& error) {
    return error.what();
  }
  return "no error";
}

// Lowers the size that a file may grow to (the signal ignored, write() then says EFBIG) and restores it.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) {
    ::getrlimit(RLIMIT_FSIZE, &old_);
    previous_ = ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{bytes, old_.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    ::setrlimit(RLIMIT_FSIZE, &old_);
    ::signal(SIGXFSZ, previous_);
  }

 private:
  rlimit old_{};
  void (*previous_)(int) = nullptr;
};

// What new files are not allowed, whatever the user who runs the tests has chosen.
class Umask {
 public:
  explicit Umask(mode_t mask) : old_(::umask(mask)) {}
  ~Umask() { ::umask(old_); }
  Umask(const Umask&) = delete;
  Umask& operator=(const Umask&) = delete;

 private:
  mode_t old_;
};

// Whether FileWriter can write files without a name there.
bool knows_nameless_files(const std::string& folder) {
  if (::access("/proc/self/fd", X_OK) != 0) return false;
  const int file = ::open(folder.c_str(), O_TMPFILE | O_WRONLY | O_CLOEXEC, 0600);
  if (file < 0) return false;
  ::close(file);
  return true;
}

// The bytes in files of the folder that this process holds open, named or not.
uintmax_t bytes_held_open_in(const std::string& folder) {
  const std::string inside = std::filesystem::canonical(folder).string() + "/";
  uintmax_t bytes = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    if (std::filesystem::read_symlink(entry).string().starts_with(inside))
      bytes += std::filesystem::file_size(entry);
  }
  return bytes;
}

TEST(File, WrittenFileReadsBack) {
  const TemporaryFolder folder;
  std::string contents(300000, 'x');
  contents[5] = '\0';
  write_file(folder.path("a"), contents);
  EXPECT_EQ(read_file(folder.path("a")), contents);
  write_file(folder.path("a"), "");
  EXPECT_EQ(read_file(folder.path("a")), "");
  EXPECT_EQ(list_folder(folder.path()), std::vector<std::string>{"a"});
}

TEST(File, PiecesKeepTheirOrder) {
  const TemporaryFolder folder;
  std::string expected;
  FileWriter writer(folder.path("a"));
  for (int i = 0; i < 40; ++i) {
    const std::string piece(static_cast<size_t>(i) * 4001, static_cast<char>('a' + i % 26));
    writer.write(piece);
    expected += piece;
  }
  EXPECT_FALSE(file_exists(folder.path("a")));
  writer.commit();
  EXPECT_EQ(read_file(folder.path("a")), expected);
}

TEST(File, WithoutCommitTheOldFileStaysAndNothingIsLeft) {
  const TemporaryFolder folder;
  write_file(folder.path("a"), "old");
  {
    FileWriter writer(folder.path("a"));
    writer.write("new");
  }
  EXPECT_EQ(read_file(folder.path("a")), "old");
  EXPECT_EQ(list_folder(folder.path()).size(), 1u);
}

TEST(File, PermissionsStay) {
  const TemporaryFolder folder;
  const std::string path = folder.path("a");
  const Umask mask(022);
  write_file(path, "old");
  const auto mode = [&] { return static_cast<unsigned>(std::filesystem::status(path).permissions()); };
  EXPECT_EQ(mode(), 0644u);
  for (const mode_t chosen : {0604, 0640, 0666}) {  // less, and more, than a new file gets
    ASSERT_EQ(::chmod(path.c_str(), chosen), 0);
    write_file(path, "new");
    EXPECT_EQ(read_file(path), "new");
    EXPECT_EQ(mode(), chosen);
  }
}

// Where files need a name from the beginning, it tells that it was a writer's.
TEST(File, AKilledProcessLeavesNothing) {
  const TemporaryFolder folder;
  write_file(folder.path("a"), "old");
  const pid_t child = ::fork();
  if (child == 0) {
    try {
      FileWriter writer(folder.path("a"));
      writer.write(std::string(200000, 'x'));
      if (bytes_held_open_in(folder.path()) > 0) ::raise(SIGKILL);
    } catch (const std::exception&) {
    }
    ::_exit(1);  // it did not come to where it was to be killed
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status)) << status;
  EXPECT_EQ(WTERMSIG(status), SIGKILL);
  EXPECT_EQ(read_file(folder.path("a")), "old");
  std::vector<std::string> left = list_folder(folder.path());
  const size_t its_own = std::erase_if(left, is_left_by_writer);
  EXPECT_EQ(its_own, knows_nameless_files(folder.path()) ? 0u : 1u);
  EXPECT_EQ(left, std::vector<std::string>{"a"});
}

TEST(File, FullDiskNamesPathAndReasonAndLeavesTheOldFile) {
  const TemporaryFolder folder;
  write_file(folder.path("a"), "old");
  const std::string big(200000, 'x');
  std::string message;
  {
    const FileSizeLimit limit(100000);
    message = error_of([&] { write_file(folder.path("a"), big); });
  }
  EXPECT_EQ(message, folder.path("a") + ": cannot be written: File too large");
  EXPECT_EQ(read_file(folder.path("a")), "old");
  EXPECT_EQ(list_folder(folder.path()).size(), 1u);
  EXPECT_EQ(error_of([&] { write_file("/dev/full", "x"); }),
            "/dev/full: cannot be written: No space left on device");
  write_file("/dev/null", "a device is written, not replaced");
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST(File, MissingFolderAndFolderInPlaceOfFile) {
  const TemporaryFolder folder;
  EXPECT_EQ(error_of([&] { write_file(folder.path("no/a"), "x"); }),
            folder.path("no/a") + ": cannot be written: No such file or directory");
  EXPECT_EQ(error_of([&] { write_file(folder.path(), "x"); }),
            folder.path() + ": cannot be written: Is a directory");
  EXPECT_EQ(error_of([&] { read_file(folder.path()); }), folder.path() + ": cannot be read: Is a directory");
  EXPECT_EQ(error_of([&] { read_file(folder.path("none")); }),
            folder.path("none") + ": cannot be read: No such file or directory");
  EXPECT_EQ(error_of([&] { list_folder(folder.path("none")); }),
            folder.path("none") + ": cannot be read: No such file or directory");
}

TEST(File, ReadOnlyFolderIsNamed) {
  // /proc takes no files from anybody, root included.
  EXPECT_NE(error_of([] { write_file("/proc/heed", "x"); }).find("/proc/heed: cannot be written: "),
            std::string::npos);
  EXPECT_NE(error_of([] { create_folders("/proc/heed"); }).find("/proc/heed: the folder cannot be created: "),
            std::string::npos);
}

TEST(File, APlaceForAFolder) {
  const TemporaryFolder folder;
  write_file(folder.path("file"), "");
  for (const char* good : {"", "new", "new/and/newer"}) require_place_for_folder(folder.path(good));
  EXPECT_EQ(list_folder(folder.path()), std::vector<std::string>{"file"});
  for (const char* bad : {"file", "file/under"}) {
    EXPECT_EQ(
        error_of([&] { require_place_for_folder(folder.path(bad)); }),
        fmt::format("{}: the folder cannot be created: {} is a file", folder.path(bad), folder.path("file")));
  }
}

TEST(File, NamesAsLongAsTheyMayBe) {
  const TemporaryFolder folder;
  const std::string path = folder.path(std::string(255, 'n'));
  write_file(path, "text");
  EXPECT_EQ(read_file(path), "text");
  EXPECT_EQ(list_folder(folder.path()).size(), 1u);
  EXPECT_THROW(require_place_for_folder(folder.path(std::string(300, 'n'))), InputError);
}

TEST(File, OnlyAWritersOwnFilesAreLeftByIt) {
  for (const char* name : {".heed-1-0.tmp", ".heed-123456-12.tmp"})
    EXPECT_TRUE(is_left_by_writer(name)) << name;
  for (const char* name :
       {"notes.2024-01.tmp", ".heed-.tmp", ".heed-1-.tmp", ".heed-a-1.tmp", ".heed-1-0", ".heed-"})
    EXPECT_FALSE(is_left_by_writer(name)) << name;
}

TEST(File, EndlessFileIsRefused) {
  EXPECT_EQ(error_of([] { read_file("/dev/zero", 1000); }),
            "/dev/zero: longer than the 1000 bytes that such a file may have");
}

TEST(File, LinkIsWrittenThrough) {
  const TemporaryFolder folder;
  write_file(folder.path("real"), "old");
  std::filesystem::create_symlink("real", folder.path("link"));
  write_file(folder.path("link"), "new");
  EXPECT_EQ(read_file(folder.path("real")), "new");
  EXPECT_TRUE(std::filesystem::is_symlink(folder.path("link")));
}

// A link to what is not there yet: that is made, and the link stays one.
TEST(File, LinkToNothingYetIsWrittenThrough) {
  const TemporaryFolder folder;
  create_folders(folder.path("links"));
  create_folders(folder.path("there"));
  std::filesystem::create_symlink("second", folder.path("links/first"));
  std::filesystem::create_symlink("../there/file", folder.path("links/second"));
  write_file(folder.path("links/first"), "text");
  EXPECT_EQ(read_file(folder.path("there/file")), "text");
  for (const char* link : {"links/first", "links/second"})
    EXPECT_TRUE(std::filesystem::is_symlink(folder.path(link))) << link;
  std::filesystem::create_symlink(folder.path("there/other"), folder.path("links/absolute"));
  write_file(folder.path("links/absolute"), "more");
  EXPECT_EQ(read_file(folder.path("there/other")), "more");

  std::filesystem::create_symlink("b", folder.path("a"));
  std::filesystem::create_symlink("a", folder.path("b"));
  EXPECT_EQ(error_of([&] { write_file(folder.path("a"), "x"); }),
            folder.path("a") + ": cannot be written: Too many levels of symbolic links");
  std::filesystem::create_symlink("nowhere/file", folder.path("c"));
  EXPECT_EQ(error_of([&] { write_file(folder.path("c"), "x"); }),
            folder.path("c") + ": cannot be written: No such file or directory");
  for (const char* link : {"a", "b", "c"})
    EXPECT_TRUE(std::filesystem::is_symlink(folder.path(link))) << link;
}

TEST(File, LinesAreReadPieceByPiece) {
  const TemporaryFolder folder;
  std::string contents;
  std::vector<std::string> expected;
  for (size_t i = 0; i < 300; ++i) {
    expected.push_back(std::string(i * 97 % 2003, static_cast<char>(i % 256 == '\n' ? 'x' : i % 256)));
    contents += expected.back() + "\n";
  }
  expected.emplace_back("cut");
  write_file(folder.path("a"), contents + "cut");
  FileLines lines(folder.path("a"));
  std::string line;
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_TRUE(lines.next(line));
    EXPECT_EQ(line, expected[i]);
    EXPECT_EQ(lines.number(), static_cast<int64_t>(i) + 1);
    EXPECT_EQ(lines.ended(), i + 1 < expected.size());
  }
  EXPECT_FALSE(lines.next(line));
  EXPECT_EQ(line, "");
  EXPECT_EQ(error_of([&] {
              FileLines narrow(folder.path("a"), 100);
              while (narrow.next(line)) continue;
            }),
            folder.path("a") + ":3: longer than the 100 bytes that such a line may have");
  EXPECT_EQ(error_of([&] { FileLines(folder.path()).next(line); }),
            folder.path() + ": cannot be read: Is a directory");
}

TEST(File, FolderWhereAFileIsIsRefused) {
  const TemporaryFolder folder;
  write_file(folder.path("a"), "");
  EXPECT_NE(error_of([&] { create_folders(folder.path("a")); }), "no error");
  create_folders(folder.path("b/c/d"));
  create_folders(folder.path("b/c/d"));
  EXPECT_TRUE(folder_exists(folder.path("b/c/d")));
  remove_tree(folder.path("b"));
  remove_tree(folder.path("b"));
  EXPECT_FALSE(folder_exists(folder.path("b")));
}

TEST(File, AppenderTakesBackWhatDidNotFit) {
  const TemporaryFolder folder;
  FileAppender appender(folder.path("log"));
  appender.append("one\n");
  std::string message;
  {
    const FileSizeLimit limit(6);
    message = error_of([&] { appender.append("two\n"); });
  }
  EXPECT_EQ(message, folder.path("log") + ": cannot be written: File too large");
  EXPECT_EQ(read_file(folder.path("log")), "one\n");
  appender.append("three\n");
  appender.sync();
  EXPECT_EQ(read_file(folder.path("log")), "one\nthree\n");
}

TEST(File, MappedFileShowsTheBytes) {
  const TemporaryFolder folder;
  write_file(folder.path("a"), "abc");
  write_file(folder.path("empty"), "");
  const MappedFile file(folder.path("a"));
  ASSERT_EQ(file.bytes().size(), 3u);
  EXPECT_EQ(file.bytes()[2], std::byte{'c'});
  EXPECT_TRUE(MappedFile(folder.path("empty")).bytes().empty());
  EXPECT_NE(error_of([&] { MappedFile mapped(folder.path("none")); }), "no error");
  EXPECT_NE(error_of([&] { MappedFile mapped(folder.path()); }), "no error");
}

TEST(FolderLock, SecondHolderIsToldWhoHoldsIt) {
  const TemporaryFolder folder;
  {
    const FolderLock lock(folder.path());
    const std::string message = error_of([&] { FolderLock second(folder.path()); });
    EXPECT_EQ(message.find(folder.path() + ": in use by process " + std::to_string(::getpid())), 0u)
        << message;
  }
  const FolderLock again(folder.path());
}

TEST(FolderLock, EndsWithItsProcess) {
  const TemporaryFolder folder;
  const pid_t child = ::fork();
  if (child == 0) {
    const FolderLock lock(folder.path());
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFSIGNALED(status));
  const FolderLock lock(folder.path());
}

}  // namespace
}  // namespace heed
