// The output layer in f32 arithmetic, over panels; Bf16 rows are widened block by block.
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
