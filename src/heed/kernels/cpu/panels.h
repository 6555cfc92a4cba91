// The order in which the right factor of a product is kept: panels of 16 columns, one cache line a k, so that
// every vector width finds whole vectors. B[k, n] is at (n / 16 * K + k) * 16 + n % 16, f32 (rounded to bf16
// for Bf16 products); columns past N are zero.
#pragma once

#include <cstdint>

namespace heed::kernels::cpu {

inline constexpr int64_t kPanelWidth = 16;

}  // namespace heed::kernels::cpu
