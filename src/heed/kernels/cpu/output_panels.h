// The output layer, the vocabulary in slices: over tiles where the weight is packed so, else in f32 over
// panels, Bf16 rows widened block by block.
#pragma once

#include "heed/kernels/output.h"

namespace heed::kernels::cpu {

template <class T>
void output_loss_panels(ThreadPool& pool, const OutputLossArgs<T>& args);
template <class T>
void output_top_k_panels(ThreadPool& pool, const OutputTopKArgs<T>& args);
template <class T>
void output_log_probs_panels(ThreadPool& pool, const OutputLogProbsArgs<T>& args);

}  // namespace heed::kernels::cpu
