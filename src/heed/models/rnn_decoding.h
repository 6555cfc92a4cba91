// The recurrent encoder-decoder as search sees it: one position at a time, the state carried along.
#pragma once

#include "heed/models/rnn_seq2seq.h"

namespace heed {

class RnnStepDecoder final : public StepDecoder {
 public:
  // The model must outlive it.
  explicit RnnStepDecoder(const RnnSeq2Seq& model) : model_(model) {}

  int64_t vocabulary_size() const override;
  std::unique_ptr<DecoderState> make_state() const override;
  void start(Context& c, DecoderState& state, const TokenField& source) const override;
  Candidates candidates(Context& c, const DecoderState& state, int64_t k,
                        std::span<const float> bias) const override;
  std::vector<float> log_probs(Context& c, const DecoderState& state) const override;
  void select(DecoderState& state, std::span<const int32_t> parents) const override;
  void append(Context& c, DecoderState& state, std::span<const int32_t> tokens) const override;

 private:
  const RnnSeq2Seq& model_;
};

}  // namespace heed
