#include "heed/train/run_config.h"

#include <gtest/gtest.h>

#include <filesystem>

#include "heed/base/file.h"
#include "tests/support/temporary_folder.h"

namespace heed {
namespace {

// Out of a folder that a link stands for, .. leads where the system would go.
TEST(RunConfig, PathsAreReadAsTheSystemReadsThem) {
  const TemporaryFolder folder;
  create_folders(folder.path("there/configurations"));
  create_folders(folder.path("there/data"));
  create_folders(folder.path("here"));
  write_file(folder.path("there/data/pairs.tsv"), "a\tb\n");
  write_file(folder.path("there/configurations/my.yaml"),
             "data: {train: {tsv: ../data/pairs.tsv}, dev: {tsv: ./dev.tsv}}\n");
  std::filesystem::create_directory_symlink("../there/configurations", folder.path("here/linked"));
  const RunConfig config = read_run_config(folder.path("here/linked/my.yaml"), {});
  EXPECT_EQ(read_file(config.data.train.tsv), "a\tb\n");
  // Where there is no .. the names stay as they were given.
  EXPECT_EQ(config.data.dev.tsv, folder.path("here/linked/dev.tsv"));
}

}  // namespace
}  // namespace heed
