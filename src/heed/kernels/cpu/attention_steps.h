// The attention of an attending decoder's pass, as the processor level computes it.
#pragma once

#include "heed/kernels/attention_decoder.h"

namespace heed::kernels::cpu {

template <class T>
struct AttentionSteps {
  // One query's attention: weights [S], and gates [GH] = x + sum of weights_i C_i; x may be null.
  void (*attend)(const AttentionDecoderArgs<T>& args, int64_t b, const float* q, const T* x, float* weights,
                 T* gates);
  // Its gradient for row r. d_gates [GH]; d_weights [S] has the contexts' part and gets all of it. Overwrites
  // d_query [A], adds to the sentence's rows of d_key_sums and to its d_score.
  void (*attend_gradient)(const AttentionDecoderGradientArgs<T>& args, int64_t b, int64_t r, const T* d_gates,
                          float* d_weights, T* d_query);
  // After the last step, of a sentence: contexts = weights memory.
  void (*contexts)(const AttentionDecoderArgs<T>& args, int64_t b);
  // Before the first step back: what the contexts give to weights and memory; sums of the sentence at zero.
  void (*contexts_gradient)(const AttentionDecoderGradientArgs<T>& args, int64_t b);
  // After the last step back: d_context_gates and d_keys.
  void (*sources_gradient)(const AttentionDecoderGradientArgs<T>& args, int64_t b);
};

}  // namespace heed::kernels::cpu
