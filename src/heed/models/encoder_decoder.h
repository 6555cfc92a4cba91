// What training, search and pictures ask of a model that turns a source into a target.
#pragma once

#include <memory>
#include <vector>

#include "heed/models/model.h"
#include "heed/nn/step_decoder.h"
#include "heed/ops/output.h"

namespace heed {

enum class AttentionKind { encoder, decoder, source };  // source: of the decoder, to the encoder's output

// The attention of one layer over one sentence pair: weights [heads, queries, keys] f32.
struct AttentionWeights {
  AttentionKind kind = AttentionKind::source;
  int64_t layer = 0;  // from 0
  Tensor weights;
};

class EncoderDecoder : public Model {
 public:
  // Teacher forcing. source and target end with </s>; the decoder reads <s> and the target without its last
  // token, some of it replaced by its own predictions under scheduled sampling. The loss of every target
  // token, in the rows of `target`; `sum` has the guided attention's part in it as well.
  virtual OutputLoss loss(Context& c, const TokenField& source, const TokenField& target,
                          const LossOptions& options) const = 0;

  // The same, as log-probabilities of every word: [R_t, V] f32.
  virtual Tensor log_probs(Context& c, const TokenField& source, const TokenField& target) const = 0;

  virtual std::unique_ptr<StepDecoder> step_decoder() const = 0;

  // What each layer attends to while it reads the source and writes the target; one entry a layer and kind.
  // One sentence pair at a time.
  virtual std::vector<AttentionWeights> attention(Context& c, const TokenField& source,
                                                  const TokenField& target) const = 0;
};

// <s> followed by each sentence without its last token.
TokenField shifted_right(const TokenField& target);

// The layers of one side: its own number, or where that is 0 the number of both sides.
inline int64_t layers_of(int64_t side, int64_t both) {
  return side > 0 ? side : both;
}

}  // namespace heed
