#include "heed/kernels/cpu_level.h"

#include <atomic>
#include <cstdlib>

#if defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

#include "heed/base/error.h"
#include "hwy/targets.h"

namespace heed::kernels {
namespace {

constexpr CpuLevel kLevels[] = {CpuLevel::plain, CpuLevel::avx2, CpuLevel::avx512, CpuLevel::avx512_bf16,
                                CpuLevel::amx};

// Dot products and conversions of bf16, beside the rest of AVX-512.
bool has_avx512_bf16() {
#if defined(__x86_64__)
  constexpr unsigned kAvx512Bf16 = 1u << 5;  // CPUID 7.1 EAX
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a & kAvx512Bf16) != 0;
#else
  return false;
#endif
}

// Matrix units for bf16, and a kernel that lets this process use them.
bool amx_usable() {
#if defined(__x86_64__) && defined(__linux__)
  constexpr unsigned kAmxBf16 = 1u << 22, kAmxTile = 1u << 24;  // CPUID 7.0 EDX
  unsigned a = 0, b = 0, c = 0, d = 0;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0) return false;
  if ((d & kAmxBf16) == 0 || (d & kAmxTile) == 0) return false;
  constexpr long kRequestPermission = 0x1023, kTileData = 18;  // arch_prctl(2): ARCH_REQ_XCOMP_PERM
  return syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
#else
  return false;
#endif
}

CpuLevel best_level() {
#if HWY_ARCH_X86
  const int64_t targets = hwy::SupportedTargets();
  if ((targets & HWY_AVX3) != 0) {
    if (!has_avx512_bf16()) return CpuLevel::avx512;
    return amx_usable() ? CpuLevel::amx : CpuLevel::avx512_bf16;
  }
  if ((targets & HWY_AVX2) != 0) return CpuLevel::avx2;
#endif
  return CpuLevel::plain;
}

CpuLevel machine_level() {
  static const CpuLevel level = best_level();
  return level;
}

// What Highway's dispatch may not choose.
void cap_highway(CpuLevel level) {
#if HWY_ARCH_X86
  int64_t disabled = 0;
  // Better targets have lower bits, those of later Highways too.
  if (level < CpuLevel::avx512) disabled |= HWY_AVX2 - 1;
  if (level < CpuLevel::avx2) disabled |= 2 * HWY_SSSE3 - 1;
  hwy::DisableTargets(disabled);
#else
  static_cast<void>(level);
#endif
}

void check_available(CpuLevel level, std::string_view who) {
  if (level > machine_level()) {
    fail_input("{}: this processor has no {}; it has up to {}", who, name_of(level),
               name_of(machine_level()));
  }
}

CpuLevel level_at_start() {
  machine_level();  // before anything is disabled
  const char* wanted = std::getenv("HEED_CPU");
  if (wanted == nullptr || *wanted == '\0') return machine_level();
  const CpuLevel level = parse_cpu_level(wanted);
  check_available(level, "HEED_CPU");
  cap_highway(level);
  return level;
}

std::atomic<CpuLevel>& current_level() {
  static std::atomic<CpuLevel> level = level_at_start();
  return level;
}

}  // namespace

std::string_view name_of(CpuLevel level) {
  constexpr std::string_view names[] = {"plain", "avx2", "avx512", "avx512_bf16", "amx"};
  return names[static_cast<size_t>(level)];
}

CpuLevel parse_cpu_level(std::string_view name) {
  for (const CpuLevel level : kLevels) {
    if (name == name_of(level)) return level;
  }
  fail_input("HEED_CPU: unknown level \"{}\"; known are plain, avx2, avx512, avx512_bf16 and amx", name);
}

CpuLevel cpu_level() {
  return current_level().load(std::memory_order_relaxed);
}

std::vector<CpuLevel> available_cpu_levels() {
  std::vector<CpuLevel> levels;
  for (const CpuLevel level : kLevels) {
    if (level <= machine_level()) levels.push_back(level);
  }
  return levels;
}

void set_cpu_level(CpuLevel level) {
  check_available(level, "set_cpu_level");
  current_level().store(level, std::memory_order_relaxed);
  cap_highway(level);
}

}  // namespace heed::kernels
