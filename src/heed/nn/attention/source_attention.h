// How a recurrent decoder attends to the source: score, softmax, weighted sum (Bahdanau et al. 2015; Luong et
// al. 2015). Letters: R_q query rows, R_s source rows, Q query width, M memory width, A width of the scores.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "heed/nn/attention/guided_loss.h"
#include "heed/nn/attention/key_value_cache.h"
#include "heed/nn/linear.h"
#include "heed/ops/additive_attention.h"
#include "heed/ops/local_attention.h"
#include "heed/ops/monotonic_attention.h"

namespace heed {

enum class Score {
  dot,         // q . k                       Luong et al. 2015, eq. 8
  scaled_dot,  // q . k / sqrt(M)             Vaswani et al. 2017, eq. 1
  bilinear,    // q^T W k                     Luong et al. 2015, eq. 8 ("general")
  additive     // v . tanh(W_q q + W_k k)     Bahdanau et al. 2015, A.1.2
};

// Which source positions are seen (Luong et al. 2015, section 3.2; kernels/local_attention.h).
enum class Window { global, local_m, local_p };

struct SourceAttentionOptions {
  Score score = Score::dot;
  int64_t query_width = 0, memory_width = 0;  // Q, M
  int64_t score_width = 0;                    // A, of additive scores
  bool project_values = false;                // values are W_v of the memory, not the memory itself
  Window window = Window::global;
  int64_t reach = 10;            // D of local windows
  bool monotonic = false;        // a query goes on from the key that the one before it chose, and never back
  double monotonic_noise = 0.0;  // of its energies while training
};

class SourceAttention {
 public:
  // Throws Error when a dot product is asked of widths that differ, or a local window to be monotonic.
  SourceAttention(ParameterStore& store, const std::string& name, const SourceAttentionOptions& options);

  // The encoder's output as keys and values; W_k k and W_v v are computed once a sentence.
  struct Memory {
    Var keys;    // [R_s, M], or [R_s, A] of additive scores
    Var values;  // [R_s, M]
    Layout layout;
  };
  Memory read(Context& c, const Var& memory, const Layout& layout) const;

  // Where monotonic attention goes on from, for passes that call it more than once; empty: the first key.
  struct Place {
    Var alignment;                  // [R_s, 1] while it is learnt: the last query's expectation
    std::vector<int32_t> attended;  // [B] otherwise: the last choice
  };
  // What one call of attention does besides: `guided` gathers the distance from the diagonal of the queries
  // that are the rows `in_batch` of the batch (empty: all rows); `place` says where monotonic attention goes
  // on from, and is moved (null: from the first key).
  struct Wanted {
    GuidedLoss* guided = nullptr;
    std::span<const int32_t> in_batch = {};
    Place* place = nullptr;
  };
  // queries [R_q, Q] -> contexts [R_q, M]. Both layouts have the same sentences. What is monotonic takes the
  // expectation over alignments while it is learnt, and chooses otherwise.
  Var operator()(Context& c, const Var& queries, const Layout& layout, const Memory& memory,
                 const Wanted& wanted) const;
  // Whether it can be guided: by the weights that a softmax makes over all keys.
  bool has_softmax() const { return !is_local() && !monotonic_; }
  // For each sentence the weights [1, T, S]; of what is monotonic, the choices, and `place` moves.
  std::vector<Tensor> weights(Context& c, const Var& queries, const Layout& layout, const Memory& memory,
                              Place& place) const;

  // Decoding: what a cache keeps of a memory, and contexts out of it for queries [N, Q] -> [N, M]. positions
  // [N]: where each stands, which local windows ask. attended [N]: the key that each goes on from, where
  // attention is monotonic; it moves.
  Tensor cached(Context& c, const Memory& memory) const;
  Var step(Context& c, const Var& queries, std::span<const int32_t> positions, const KeyValueCache& cache,
           const StepMemory& memory, std::span<int32_t> attended) const;

  // Of additive scores W_q [A, Q] and v [1, A], for the op that attends by itself; else null.
  const Parameter* query_weight() const { return is_additive() ? &queries_->weight() : nullptr; }
  const Parameter* score_weight() const { return score_; }

 private:
  bool is_additive() const { return score_ != nullptr; }
  bool has_one_memory() const { return !keys_ && !values_; }  // keys and values are the same rows
  bool is_local() const { return window_ != Window::global; }
  Var project(Context& c, const Var& queries) const;
  MonotonicChoice choose(Context& c, const Tensor& queries, const Layout& layout, const Memory& memory,
                         Place& place) const;
  // Of local-p v_p . tanh(W_p q)  [R_q, 1] (Luong et al. 2015, eq. 9); else nothing.
  Var places(Context& c, const Var& queries) const;

  AttentionOptions options_;
  Window window_;
  LocalAttentionOptions local_;
  std::optional<Linear> place_hidden_, place_;     // W_p, v_p
  std::optional<Linear> queries_, keys_, values_;  // W or W_q; W_k; W_v
  const Parameter* score_ = nullptr;               // v [1, A]
  std::optional<MonotonicOptions> monotonic_;
};

}  // namespace heed
