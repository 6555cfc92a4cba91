// Files: read whole or mapped, written so that a crash leaves the old file or the new one, never a part.
// Every failure is an InputError which names the path and the system's reason ("No space left on device"):
// the path is what the user gave.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace heed {

// The whole contents. Refuses more than `limit` bytes, so that an endless device cannot fill the memory; for
// what may grow without a limit there is FileLines.
std::string read_file(const std::string& path, size_t limit = size_t{1} << 30);

// The lines of a file one after the other, whatever bytes are in them: the file may be of any length, a line
// may not.
class FileLines {
 public:
  explicit FileLines(std::string path, size_t longest = size_t{1} << 28);
  ~FileLines();
  FileLines(const FileLines&) = delete;
  FileLines& operator=(const FileLines&) = delete;

  // False at the end, `line` is then empty.
  bool next(std::string& line);
  // Whether the line last given ended with a line feed, which it was given without. Only a last one may not.
  bool ended() const { return ended_; }
  int64_t number() const { return number_; }  // of the line last given, from 1

 private:
  bool read_on();

  std::string path_;
  size_t longest_;
  int file_ = -1;
  std::string piece_;
  size_t at_ = 0;  // of what is not given yet
  int64_t number_ = 0;
  bool ended_ = false;
};

bool file_exists(const std::string& path);
bool folder_exists(const std::string& path);
// Whether it is there and is no plain file or folder: a pipe, a device.
bool can_be_read_once(const std::string& path);

// The names (not paths) in a folder, sorted.
std::vector<std::string> list_folder(const std::string& path);

// Creates the folder and those above it; fine when it is there already.
void create_folders(const std::string& path);

// Makes nothing. Throws InputError where create_folders(path) could not, as far as can be said.
void require_place_for_folder(const std::string& path);

// Removes a file or a whole folder; fine when it is not there.
void remove_tree(const std::string& path);

// Makes the folder's entries (created, renamed, removed) survive a power cut.
void sync_folder(const std::string& path);

// Whether a crash of a FileWriter left a file of this name.
bool is_left_by_writer(std::string_view name);

// Writes a file piece by piece beside its place; commit() syncs it and renames it there, with the permissions
// of the file that it takes the place of; through a symbolic link it writes what that leads to. Without
// commit() the old file stays as it was and nothing of the new one is left, even of a process that is killed:
// the file has no name before that, where the file system knows such files. Devices and pipes are written
// directly.
class FileWriter {
 public:
  explicit FileWriter(std::string path);
  ~FileWriter();
  FileWriter(const FileWriter&) = delete;
  FileWriter& operator=(const FileWriter&) = delete;

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text.data(), text.size()))); }
  // Hands on what a device or a pipe is to get; a file gets it with commit().
  void pass_on() {
    if (direct_) flush();
  }
  void commit();

 private:
  void flush();
  void write_out(std::span<const std::byte> bytes);
  bool open_nameless(const std::string& target);
  void open_named(const std::string& target);
  void give_name(const std::string& target);
  void drop();

  std::string path_;
  bool direct_ = false;
  std::string temporary_;  // its name until it is in its place; empty: it has none
  std::string buffer_;
  int file_ = -1;
};

// A whole file at once through FileWriter.
void write_file(const std::string& path, std::string_view contents);

// Appends pieces to a file, each handed to the system at once: what a crash can cut is the last piece. A
// piece that does not fit (a full disk) is taken back, so that the file still ends where the piece before it
// ended.
class FileAppender {
 public:
  explicit FileAppender(std::string path);
  ~FileAppender();
  FileAppender(const FileAppender&) = delete;
  FileAppender& operator=(const FileAppender&) = delete;

  void append(std::string_view piece);
  void sync();

 private:
  std::string path_;
  int file_ = -1;
};

// A file mapped for reading: opening costs nothing, pages are read when touched. The file must not be
// shortened while it is mapped; heed replaces files, it never rewrites them.
class MappedFile {
 public:
  explicit MappedFile(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::span<const std::byte> bytes() const { return {data_, size_}; }

 private:
  const std::byte* data_ = nullptr;
  size_t size_ = 0;
};

// Holds a folder for one process: while it lives, a second one for the same folder fails with an InputError
// that says who holds it. The system frees it when the process ends, however it ends.
class FolderLock {
 public:
  explicit FolderLock(const std::string& folder);
  ~FolderLock();
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;

 private:
  int file_ = -1;
};

}  // namespace heed
