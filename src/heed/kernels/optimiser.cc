#include "heed/kernels/optimiser.h"

#include "heed/kernels/reference/optimiser.h"

namespace heed::kernels {

void adam(ThreadPool&, const AdamArgs& args) {
  reference::adam(args);
}

double squared_norm(ThreadPool&, int64_t size, const float* x) {
  return reference::squared_norm(size, x);
}

}  // namespace heed::kernels
