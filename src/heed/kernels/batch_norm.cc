#include "heed/kernels/batch_norm.h"

#include <algorithm>

#include "heed/kernels/reference/batch_norm.h"

namespace heed::kernels {
namespace {

constexpr int64_t kColumns = 64;  // of a piece: whole cache lines of each row

template <class F>
void by_columns(ThreadPool& pool, int64_t width, F&& f) {
  pool.run((width + kColumns - 1) / kColumns,
           [&](int64_t piece) { f(piece * kColumns, std::min(width, (piece + 1) * kColumns)); });
}

}  // namespace

void batch_norm(ThreadPool& pool, const BatchNormArgs<float>& args) {
  by_columns(pool, args.width, [&](int64_t begin, int64_t end) { reference::batch_norm(args, begin, end); });
}
void batch_norm(ThreadPool& pool, const BatchNormArgs<Bf16>& args) {
  by_columns(pool, args.width, [&](int64_t begin, int64_t end) { reference::batch_norm(args, begin, end); });
}
void batch_norm_gradient(ThreadPool& pool, const BatchNormGradientArgs<float>& args) {
  by_columns(pool, args.forward.width,
             [&](int64_t begin, int64_t end) { reference::batch_norm_gradient(args, begin, end); });
}
void batch_norm_gradient(ThreadPool& pool, const BatchNormGradientArgs<Bf16>& args) {
  by_columns(pool, args.forward.width,
             [&](int64_t begin, int64_t end) { reference::batch_norm_gradient(args, begin, end); });
}

}  // namespace heed::kernels
