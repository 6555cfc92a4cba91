// The convolution of kernels/convolution.h as plain loops.
#pragma once

#include "heed/kernels/convolution.h"

namespace heed::kernels::reference {

template <class T>
void depthwise_convolution(const DepthwiseConvolutionArgs<T>& args) {
  using R = Real<T>;
  for (int64_t b = 0; b < args.sentences; ++b) {
    const int64_t begin = args.offsets[b], end = args.offsets[b + 1];
    for (int64_t r = begin; r < end; ++r) {
      for (int64_t c = 0; c < args.width; ++c) {
        R sum = 0;
        for (int64_t k = 0; k < args.taps; ++k) {
          const int64_t from = args.back ? r - k + args.left : r + k - args.left;
          if (from < begin || from >= end) continue;
          sum += args.weights[k * args.width + c] * static_cast<R>(args.x[from * args.width + c]);
        }
        args.y[r * args.width + c] = static_cast<T>(sum);
      }
    }
  }
}

}  // namespace heed::kernels::reference
