// Which instructions the kernels may use. The level is fixed when the first kernel runs (or asks): the best
// that the machine has, or what the environment variable HEED_CPU names. Results are the same bytes on one
// level only.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace heed::kernels {

// plain is what every processor of the architecture has. avx512_bf16: dot products of pairs of Bf16 as well,
// twice as many multiplications as in f32 (AMD since Zen 4, Intel since Cooper Lake). amx: matrix units for
// Bf16 too.
enum class CpuLevel : uint8_t { plain, avx2, avx512, avx512_bf16, amx };

std::string_view name_of(CpuLevel level);

// Throws InputError, at the first call, when HEED_CPU names no level or one that this machine lacks.
CpuLevel cpu_level();

// The levels that this machine has, ascending.
std::vector<CpuLevel> available_cpu_levels();

// For tests and benchmarks, while no kernel runs. Matrices packed before stay usable. Throws InputError when
// the machine lacks the level.
void set_cpu_level(CpuLevel level);

// Whether the processor multiplies Bf16 itself, so that bf16 is the precision of choice.
inline bool multiplies_bf16() {
  return cpu_level() >= CpuLevel::avx512_bf16;
}

// The level that `name` stands for; throws InputError naming the known ones.
CpuLevel parse_cpu_level(std::string_view name);

}  // namespace heed::kernels
