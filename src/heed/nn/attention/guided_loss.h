// Guided attention (Tachibana, Uenoyama & Aihara 2017): what training adds to its loss so that attention to
// the source runs along the diagonal, for tasks whose order is known.
#pragma once

#include <span>
#include <vector>

#include "heed/ops/guide.h"

namespace heed {

struct GuidedAttentionOptions {
  double weight = 0.0;  // 0: off
  double width = 0.2;   // g
  int64_t layer = 0;    // whose attention is guided, from 1; 0: every layer's
  int64_t head = 0;     // from 1; 0: every head
};

// Attentions leave their sums here as a pass goes by; the loss then takes them up.
class GuidedLoss {
 public:
  // For the rows of a batch, in a model of so many layers that attend to the source. Throws InputError when
  // the layer is not among them.
  GuidedLoss(const GuidedAttentionOptions& options, const Layout& queries, int64_t layers);

  // Whether the attention of a layer, from 0, is guided.
  bool guides(int64_t layer) const {
    return options_.weight > 0.0 && (options_.layer == 0 || options_.layer == layer + 1);
  }
  // For these rows of the batch; none named: for all.
  Guide guide(std::span<const int32_t> rows = {}) const { return guide_.of_rows(rows); }
  // Throws InputError when the head is not among those that were summed.
  void add(const Var& sums);

  // loss + weight * sum over rows t of (1/N sum over n of A_nt W_nt), the mean over guided layers and heads
  // (and under R-Drop, whose cross-entropy is of both passes as well, the sum over its passes). Divided by
  // the number of rows, as the trainer does, this is the paper's mean over n and t.
  Var added_to(Context& c, const Var& loss) const;

 private:
  GuidedAttentionOptions options_;
  int64_t guided_layers_;
  Guide guide_;
  std::vector<Var> sums_;
};

}  // namespace heed
