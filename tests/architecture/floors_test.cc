// Includes point only downward: a file includes from its own floor or an earlier one.
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <string>
#include <vector>

#include "heed/base/file.h"

namespace heed {
namespace {

namespace fs = std::filesystem;

// From the ground up.
const std::vector<std::string> kFloors = {"base",   "tensor", "kernels", "autograd", "ops",     "nn",
                                          "models", "text",   "data",    "decode",   "metrics", "checkpoint",
                                          "train",  "view",   "serve",   "cli"};

int floor_of(const std::string& path) {
  const auto found = std::find(kFloors.begin(), kFloors.end(), path.substr(0, path.find('/')));
  return found == kFloors.end() ? -1 : static_cast<int>(found - kFloors.begin());
}

struct Include {
  std::string from, to;  // "ops/linear.h"
  int line;
};

std::vector<Include> includes() {
  static const std::regex kInclude(R"re(^\s*#\s*include\s*"heed/([^"]+)")re");
  const fs::path root = HEED_SOURCE_DIR "/src/heed";
  std::vector<Include> all;
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root)) {
    const std::string extension = entry.path().extension();
    if (extension != ".h" && extension != ".cc") continue;
    const std::string from = fs::relative(entry.path(), root);
    const std::string text = read_file(entry.path());
    int line = 1;
    for (size_t begin = 0; begin < text.size(); ++line) {
      const size_t end = std::min(text.find('\n', begin), text.size());
      std::smatch match;
      const std::string one = text.substr(begin, end - begin);
      if (std::regex_search(one, match, kInclude)) all.push_back({from, match[1], line});
      begin = end + 1;
    }
  }
  return all;
}

TEST(Architecture, IncludesPointOnlyDownward) {
  const std::vector<Include> all = includes();
  EXPECT_GT(all.size(), 100u);  // the folder was found
  for (const auto& [from, to, line] : all) {
    EXPECT_GE(floor_of(from), 0) << from << " is on no floor";
    EXPECT_GE(floor_of(to), 0) << from << ":" << line << " includes " << to << ", which is on no floor";
    EXPECT_LE(floor_of(to), floor_of(from)) << from << ":" << line << " includes " << to << " from above";
  }
}

// Heavy libraries stay out of headers, and tests out of the library.
TEST(Architecture, HeadersAreLight) {
  static const std::regex kHeavy(
      R"re(#\s*include\s*[<"](nlohmann/json\.hpp|yaml-cpp/|CLI/|sentencepiece|unicode/|png\.h|gtest/|tests/))re");
  const fs::path root = HEED_SOURCE_DIR "/src/heed";
  for (const fs::directory_entry& entry : fs::recursive_directory_iterator(root)) {
    if (entry.path().extension() != ".h") continue;
    const std::string text = read_file(entry.path());
    std::smatch match;
    EXPECT_FALSE(std::regex_search(text, match, kHeavy)) << entry.path() << ": " << match.str();
    const std::string name = entry.path().filename();
    const bool once_a_target = name.ends_with("-inl.h") || name.ends_with("simd.h");
    EXPECT_TRUE(once_a_target || text.find("#pragma once") != std::string::npos) << entry.path();
  }
}

}  // namespace
}  // namespace heed
