// The Transformer as search sees it: one position at a time, with keys and values cached.
#pragma once

#include "heed/models/transformer.h"

namespace heed {

class TransformerStepDecoder final : public StepDecoder {
 public:
  // The model must outlive it.
  explicit TransformerStepDecoder(const Transformer& model) : model_(model) {}

  int64_t vocabulary_size() const override;
  int64_t longest() const override;
  std::unique_ptr<DecoderState> make_state() const override;
  void start(Context& c, DecoderState& state, const TokenField& source) const override;
  Candidates candidates(Context& c, const DecoderState& state, int64_t k,
                        std::span<const float> bias) const override;
  std::vector<float> log_probs(Context& c, const DecoderState& state) const override;
  void select(DecoderState& state, std::span<const int32_t> parents) const override;
  void append(Context& c, DecoderState& state, std::span<const int32_t> tokens) const override;

 private:
  const Transformer& model_;
};

}  // namespace heed
