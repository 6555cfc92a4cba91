// What training, search and pictures ask of a model that turns a source into a target.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "heed/nn/parameters.h"
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

// What a model is, in a line and in numbers.
struct ModelSummary {
  std::string text;  // "transformer 6+6, width 512, 8 heads"
  std::string type;  // as in the configuration
  std::vector<std::pair<std::string, int64_t>> sizes;
};

struct LossOptions {
  double smoothing = 0.0;  // of the labels
  double r_drop = 0.0;     // alpha of R-Drop (Wu, Liang et al. 2021); above 0 the batch is read twice

  LossOptions() = default;
  LossOptions(double smoothing, double r_drop = 0.0) : smoothing(smoothing), r_drop(r_drop) {}
};

class EncoderDecoder {
 public:
  virtual ~EncoderDecoder() = default;

  virtual ParameterStore& parameters() = 0;
  virtual const ParameterStore& parameters() const = 0;

  // Teacher forcing. source and target end with </s>; the decoder reads <s> and the target without its last
  // token. The loss of every target token, in the rows of `target`.
  virtual OutputLoss loss(Context& c, const TokenField& source, const TokenField& target,
                          const LossOptions& options) const = 0;

  // The same, as log-probabilities of every word: [R_t, V] f32.
  virtual Tensor log_probs(Context& c, const TokenField& source, const TokenField& target) const = 0;

  virtual ModelSummary summary() const = 0;

  virtual std::unique_ptr<StepDecoder> step_decoder() const = 0;

  // What each layer attends to while it reads the source and writes the target; one entry a layer and kind.
  // One sentence pair at a time.
  virtual std::vector<AttentionWeights> attention(Context& c, const TokenField& source,
                                                  const TokenField& target) const = 0;
};

// <s> followed by each sentence without its last token.
TokenField shifted_right(const TokenField& target);

}  // namespace heed
