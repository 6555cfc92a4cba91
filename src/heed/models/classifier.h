// What training, the commands and pictures ask of a model that names the class of a text. Letters: B texts, R
// rows (tokens in the batch), C classes.
#pragma once

#include <vector>

#include "heed/models/model.h"
#include "heed/ops/output.h"
#include "heed/tensor/layout.h"

namespace heed {

class Classifier : public Model {
 public:
  // The loss of each text. Texts end with </s>; classes [B], each in [0, C).
  virtual OutputLoss loss(Context& c, const TokenField& text, const std::vector<int32_t>& classes,
                          const LossOptions& options) const = 0;

  // The log-probability of every class: [B, C] f32.
  virtual Tensor log_probs(Context& c, const TokenField& text) const = 0;

  // For each text the weights of its rows, a distribution, on the heap; nothing where the model does not
  // attend.
  virtual std::vector<Tensor> attention(Context& c, const TokenField& text) const = 0;
};

}  // namespace heed
