// A processor level limits what Highway's dispatch chooses: vectors are as wide as the level's instructions
// have them, and on plain no wider than every processor's.
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/kernels/levels.h"
#include "tests/support/levels.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "tests/kernels/highway_target_test.cc"
#include "heed/kernels/cpu/simd.h"

HWY_BEFORE_NAMESPACE();
namespace heed::kernels::cpu {
namespace HWY_NAMESPACE {

int vector_bytes() {
  return static_cast<int>(hwy::HWY_NAMESPACE::Lanes(hwy::HWY_NAMESPACE::ScalableTag<uint8_t>()));
}

}  // namespace HWY_NAMESPACE
}  // namespace heed::kernels::cpu
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace heed::kernels {
namespace cpu {
HWY_EXPORT(vector_bytes);
namespace {

#if HWY_ARCH_X86

int bytes_in_use() {
  return HEED_DISPATCH(vector_bytes)();
}

// Plain ones may have no vectors at all.
bool has_bytes_of(CpuLevel level, int bytes) {
  if (level == CpuLevel::plain) return bytes >= 1 && bytes <= 16;
  return bytes == (level == CpuLevel::avx2 ? 32 : 64);
}

void expect_bytes_of_level() {
  EXPECT_TRUE(has_bytes_of(cpu_level(), bytes_in_use())) << name_of(cpu_level()) << " has " << bytes_in_use();
}

TEST(HighwayTarget, IsThatOfTheLevelWheneverOneIsSet) {
  const CpuLevel before = cpu_level();
  const std::vector<CpuLevel> available = available_cpu_levels();
  expect_bytes_of_level();
  for (const CpuLevel first : available) {
    for (const CpuLevel second : available) {
      for (const CpuLevel level : {first, second}) {
        set_cpu_level(level);
        expect_bytes_of_level();
      }
    }
  }
  set_cpu_level(before);
  expect_bytes_of_level();
}

// What the other tests go by.
TEST(HighwayTarget, IsThatOfEachLevelThatTestsRunOn) {
  std::vector<CpuLevel> seen;
  const auto note = [&] {
    expect_bytes_of_level();
    seen.push_back(cpu_level());
  };
  test::on_each_level(note);
  EXPECT_EQ(seen, available_cpu_levels());
  seen.clear();
  on_every_level(note);
  std::vector<CpuLevel> expected = available_cpu_levels();
  expected.push_back(cpu_level());  // with emulated matrix units
  EXPECT_EQ(seen, expected);
}

// Read once, and before Highway chooses: a fresh process each.
TEST(HighwayTargetDeathTest, IsThatOfTheEnvironment) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  for (const CpuLevel level : available_cpu_levels()) {
    const auto of_level = [level](int status) {
      return WIFEXITED(status) && has_bytes_of(level, WEXITSTATUS(status));
    };
    EXPECT_EXIT(
        {
          setenv("HEED_CPU", std::string(name_of(level)).c_str(), 1);
          std::exit(bytes_in_use());
        },
        of_level, "");
  }
}

#endif  // HWY_ARCH_X86

}  // namespace
}  // namespace cpu
}  // namespace heed::kernels
#endif  // HWY_ONCE
