#include "heed/kernels/cpu_level.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

#include "heed/base/error.h"

namespace heed::kernels {
namespace {

TEST(CpuLevel, NamesAreReadBack) {
  for (const CpuLevel level :
       {CpuLevel::plain, CpuLevel::avx2, CpuLevel::avx512, CpuLevel::avx512_bf16, CpuLevel::amx}) {
    EXPECT_EQ(parse_cpu_level(name_of(level)), level);
  }
}

TEST(CpuLevel, UnknownNameIsTheUsersError) {
  try {
    parse_cpu_level("avx9");
    FAIL();
  } catch (const InputError& error) {
    for (const char* part : {"avx9", "plain", "avx2", "avx512", "avx512_bf16", "amx"}) {
      EXPECT_NE(std::string(error.what()).find(part), std::string::npos) << error.what();
    }
  }
}

TEST(CpuLevel, EveryAvailableLevelCanBeSetAndNoOther) {
  const CpuLevel before = cpu_level();
  const std::vector<CpuLevel> available = available_cpu_levels();
  ASSERT_FALSE(available.empty());
  EXPECT_EQ(available.front(), CpuLevel::plain);
  for (const CpuLevel level :
       {CpuLevel::plain, CpuLevel::avx2, CpuLevel::avx512, CpuLevel::avx512_bf16, CpuLevel::amx}) {
    if (level <= available.back()) {
      set_cpu_level(level);
      EXPECT_EQ(cpu_level(), level);
      EXPECT_EQ(multiplies_bf16(), level >= CpuLevel::avx512_bf16);
    } else {
      EXPECT_THROW(set_cpu_level(level), InputError);
    }
  }
  set_cpu_level(before);
}

// HEED_CPU is read once, so a fresh process must be asked.
TEST(CpuLevelDeathTest, EnvironmentIsObeyed) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  const auto level_under = [](const char* value) {
    setenv("HEED_CPU", value, 1);
    try {
      std::exit(static_cast<int>(cpu_level()));
    } catch (const InputError&) {
      std::exit(77);
    }
  };
  EXPECT_EXIT(level_under("plain"), testing::ExitedWithCode(static_cast<int>(CpuLevel::plain)), "");
  EXPECT_EXIT(level_under(""), testing::ExitedWithCode(static_cast<int>(available_cpu_levels().back())), "");
  EXPECT_EXIT(level_under("fast"), testing::ExitedWithCode(77), "");
}

}  // namespace
}  // namespace heed::kernels
