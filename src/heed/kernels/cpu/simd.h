// Highway, for the .cc files of kernels/cpu, after
//   #define HWY_TARGET_INCLUDE "heed/kernels/cpu/NAME.cc"
//   #include "heed/kernels/cpu/simd.h"
// The targets are those of CpuLevel. Call what HWY_EXPORT made by HEED_DISPATCH.
#ifndef HEED_KERNELS_CPU_SIMD_H_
#define HEED_KERNELS_CPU_SIMD_H_

#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4)

#include "heed/kernels/cpu_level.h"

// Reading the level first makes Highway choose within it.
#define HEED_DISPATCH(FUNCTION) (::heed::kernels::cpu_level(), HWY_DYNAMIC_DISPATCH(FUNCTION))

#endif  // HEED_KERNELS_CPU_SIMD_H_

#include "hwy/foreach_target.h"  // includes the .cc file once a target
#include "hwy/highway.h"
