#include "heed/text/line_reader.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

#include <vector>

#include "heed/base/error.h"
#include "heed/base/file.h"
#include "tests/support/temporary_folder.h"

namespace heed {
namespace {

class LineReaderTest : public testing::Test {
 protected:
  std::string write(const std::string& name, const std::string& bytes) {
    write_file(folder_.path(name), bytes);
    return folder_.path(name);
  }

  static std::string zipped(const std::string& bytes) {
    std::string out(compressBound(bytes.size()) + 64, '\0');
    z_stream z{};
    deflateInit2(&z, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    z.avail_in = static_cast<unsigned>(bytes.size());
    z.next_out = reinterpret_cast<Bytef*>(out.data());
    z.avail_out = static_cast<unsigned>(out.size());
    deflate(&z, Z_FINISH);
    out.resize(z.total_out);
    deflateEnd(&z);
    return out;
  }

  static std::vector<std::string> all(LineReader reader) {
    std::vector<std::string> lines;
    for (std::string line; reader.next(line);) lines.push_back(line);
    return lines;
  }

  static std::string error_of(const std::string& path) {
    try {
      all(LineReader(path));
    } catch (const InputError& error) {
      return error.what();
    }
    return "no error";
  }

  TemporaryFolder folder_;
};

TEST_F(LineReaderTest, ReadsLinesPlainAndZipped) {
  const std::string text =
      "\xEF\xBB\xBF"
      "one\r\ntwo\n\nfour";
  const std::vector<std::string> lines = {"one", "two", "", "four"};
  EXPECT_EQ(all(LineReader(write("a.txt", text))), lines);
  EXPECT_EQ(all(LineReader(write("a.gz", zipped(text)))), lines);
  EXPECT_EQ(all(LineReader(write("two.gz", zipped(text + "\n") + zipped("five\n")))),
            (std::vector<std::string>{"one", "two", "", "four", "five"}));
  EXPECT_EQ(all(LineReader(write("block.gz", zipped(text) + std::string(512, '\0')))), lines);
  EXPECT_EQ(all(LineReader(write("begin", "\x1f"))), (std::vector<std::string>{"\x1f"}));
  EXPECT_TRUE(all(LineReader(write("empty", ""))).empty());
  EXPECT_TRUE(all(LineReader(write("empty.gz", zipped("")))).empty());
}

TEST_F(LineReaderTest, UnzipsAStreamOfAnySize) {
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += std::to_string(i * 7919 % 10'007) + "\n";
  const std::string bytes = zipped(text) + zipped(std::string(3'000'000, '\n'));
  const int file = ::open(write("big.gz", bytes).c_str(), O_RDONLY);
  const auto lines = all(LineReader(file, "standard input"));
  ::close(file);
  ASSERT_EQ(lines.size(), 3'200'000u);
  EXPECT_EQ(lines[199'999], std::to_string(199'999 * 7919 % 10'007));
  EXPECT_EQ(lines.back(), "");
}

// A pipe by its name, too, says when it has something.
TEST_F(LineReaderTest, WaitsForANamedPipe) {
  const std::string path = folder_.path("pipe");
  ASSERT_EQ(::mkfifo(path.c_str(), 0600), 0);
  const int both = ::open(path.c_str(), O_RDWR);  // so that neither end waits for the other
  LineReader reader(path);
  EXPECT_FALSE(reader.ready(std::chrono::milliseconds{0}));
  ASSERT_EQ(::write(both, "one\n", 4), 4);
  std::string line;
  EXPECT_TRUE(reader.ready(std::chrono::milliseconds{0}));
  EXPECT_TRUE(reader.next(line));
  EXPECT_EQ(line, "one");
  ::close(both);
}

TEST_F(LineReaderTest, ReadsLinesLongerThanItsBuffer) {
  const std::string text = std::string(300'000, 'a') + "\n" + std::string(65'536, 'b') + "\n";
  const auto lines = all(LineReader(write("long", text)));
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0].size(), 300'000u);
  EXPECT_EQ(lines[1], std::string(65'536, 'b'));
}

TEST_F(LineReaderTest, ReadsAStreamAsItComes) {
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  ASSERT_EQ(::write(ends[1], "one\n", 4), 4);
  LineReader reader(ends[0], "standard input");
  std::string line;
  EXPECT_TRUE(reader.next(line));
  EXPECT_EQ(line, "one");
  ASSERT_EQ(::write(ends[1], "two", 3), 3);
  ::close(ends[1]);
  EXPECT_TRUE(reader.next(line));
  EXPECT_EQ(line, "two");
  EXPECT_EQ(reader.where(), "standard input:2");
  EXPECT_FALSE(reader.next(line));
  EXPECT_FALSE(reader.next(line));
  ::close(ends[0]);
}

TEST_F(LineReaderTest, TellsWhetherMoreHasCome) {
  using std::chrono::milliseconds;
  const milliseconds now{0};
  int ends[2];
  ASSERT_EQ(::pipe(ends), 0);
  LineReader reader(ends[0], "standard input");
  EXPECT_FALSE(reader.ready(now));
  ASSERT_EQ(::write(ends[1], "one\ntwo\nthr", 11), 11);
  EXPECT_TRUE(reader.ready(now));
  std::string line;
  EXPECT_TRUE(reader.next(line));
  EXPECT_TRUE(reader.ready(now));  // from what was read
  EXPECT_TRUE(reader.next(line));
  EXPECT_EQ(line, "two");
  EXPECT_FALSE(reader.ready(milliseconds{1}));  // only a line's beginning
  ::close(ends[1]);
  EXPECT_TRUE(reader.ready(now));  // the end
  EXPECT_TRUE(reader.next(line));
  EXPECT_EQ(line, "thr");
  ::close(ends[0]);
  EXPECT_TRUE(LineReader(write("file", "")).ready(now));
}

// What cannot be read has not ended.
TEST_F(LineReaderTest, AFailedReadIsAnError) {
  const int folder = ::open(folder_.path().c_str(), O_RDONLY);
  ASSERT_GE(folder, 0);
  std::string line;
  for (const int descriptor : {folder, -1}) {
    LineReader reader(descriptor, "standard input");
    EXPECT_THROW(reader.next(line), InputError);
  }
  ::close(folder);
}

TEST_F(LineReaderTest, RefusesBadLinesWithFileAndLine) {
  EXPECT_NE(error_of(write("u", "fine\nb\xC3(d\n")).find("u:2: invalid UTF-8 at byte 2 (0xc3)"),
            std::string::npos);
  EXPECT_NE(error_of(write("n", std::string("a\nb\nc\0d\n", 8))).find("n:3: a NUL byte at byte 2"),
            std::string::npos);
  EXPECT_NE(error_of(write("m", "a\n" + std::string(1'000'000, 'x') + "\n"))
                .find("m:2: a line of 1000000 bytes or more"),
            std::string::npos);
  EXPECT_EQ(error_of(write("k", std::string(999'999, 'x'))), "no error");
}

TEST_F(LineReaderTest, RefusesDamagedFiles) {
  std::string text;
  for (int i = 0; i < 20'000; ++i) text += std::to_string(i * 7919 % 10'007) + "\n";
  const std::string whole = zipped(text);
  EXPECT_EQ(error_of(write("whole.gz", whole)), "no error");
  EXPECT_NE(error_of(write("cut.gz", whole.substr(0, whole.size() / 2))).find("truncated"),
            std::string::npos);
  EXPECT_NE(error_of(write("tail.gz", whole.substr(0, whole.size() - 3))).find("truncated"),
            std::string::npos);
  std::string damaged = whole;
  for (size_t i = damaged.size() / 2; i < damaged.size() / 2 + 50; ++i) damaged[i] = '\x55';
  EXPECT_NE(error_of(write("damaged.gz", damaged)).find("damaged"), std::string::npos);
  EXPECT_NE(error_of(write("mixed.gz", whole + "more\n")).find("text follows the gzip data"),
            std::string::npos);
  EXPECT_NE(error_of(folder_.path("none")).find("none: cannot be opened: No such file"), std::string::npos);
  EXPECT_NE(error_of(folder_.path()).find("cannot be read"), std::string::npos);
}

}  // namespace
}  // namespace heed
