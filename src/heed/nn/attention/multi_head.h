// Multi-head attention (Vaswani et al. 2017, section 3.2.2):
//   MultiHead(Q, K, V) = Concat(head_1 .. head_H) W^O,  head_i = Attention(Q W_i^Q, K W_i^K, V W_i^V)
// with the heads' projections side by side in one product. Letters: R rows, D model width.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "heed/nn/attention/guided_loss.h"
#include "heed/nn/attention/key_value_cache.h"
#include "heed/nn/linear.h"
#include "heed/ops/attention.h"
#include "heed/ops/embedding.h"

namespace heed {

struct MultiHeadOptions {
  int64_t width = 512;  // D
  int64_t heads = 8;
  bool causal = false;
  bool scaled = true;    // the division by sqrt(d_k) of eq. 1
  double dropout = 0.0;  // of the weights
  // Taps of a convolution over the positions of self-attention's queries, keys and values, an odd number; or
  // none. Not with `causal`.
  int64_t convolution = 0;
  // Rotary positions of self-attention's queries and keys, as wide as a head, which is even; or none.
  std::shared_ptr<SinusoidalPositions> rotary = nullptr;
};

// Queries, keys and values from the same rows. Where asked, each of their columns is mixed over neighbouring
// positions (So, Manke, Liu, Dai, Shazeer, Le 2021, "Primer", multi-dconv-head attention; here centred).
class SelfAttention {
 public:
  SelfAttention(ParameterStore& store, const std::string& name, const MultiHeadOptions& options);

  // x [R, D] -> [R, D], all positions at once.
  Var operator()(Context& c, const Var& x, const Layout& layout) const;
  // x [N, D]: the newest position of N hypotheses; its keys and values join the cache as rows cache.rows()
  // .., which `history` must already name as each hypothesis' last.
  Var step(Context& c, const Var& x, const Layout& layout, KeyValueCache& cache,
           const StepHistory& history) const;
  // For each sentence the weights [H, T, T].
  std::vector<Tensor> weights(Context& c, const Var& x, const Layout& layout) const;

 private:
  Var project(Context& c, const Var& x, const Layout& layout) const;  // [R, D] -> [R, 3D]

  AttentionOptions options_;
  std::shared_ptr<SinusoidalPositions> rotary_;
  Linear projections_;                      // W^Q, W^K, W^V
  const Parameter* convolution_ = nullptr;  // [taps, 3D]
  Linear output_;                           // W^O
};

// Queries from the decoder, keys and values from the encoder's output (the memory).
class CrossAttention {
 public:
  CrossAttention(ParameterStore& store, const std::string& name, const MultiHeadOptions& options);

  // x [R_t, D], memory [R_s, D] -> [R_t, D]; guided unless `guided` is null.
  Var operator()(Context& c, const Var& x, const Layout& layout, const Var& memory,
                 const Layout& memory_layout, GuidedLoss* guided = nullptr) const;
  // memory [R_s, D] -> keys and values [R_s, 2D], once a sentence.
  Var project_memory(Context& c, const Var& memory) const { return memory_projections_(c, memory); }
  // x [N, D] -> [N, D]; `projected` is project_memory's rows, `memory` which of them each query sees.
  Var step(Context& c, const Var& x, const KeyValueCache& projected, const StepMemory& memory) const;
  // For each sentence the weights [H, T, S].
  std::vector<Tensor> weights(Context& c, const Var& x, const Layout& layout, const Var& memory,
                              const Layout& memory_layout) const;

 private:
  AttentionOptions options_;
  Linear queries_;             // W^Q
  Linear memory_projections_;  // W^K, W^V
  Linear output_;              // W^O
};

}  // namespace heed
