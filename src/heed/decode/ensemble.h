// Several models that write one output together. Search sees one model.
#pragma once

#include <memory>
#include <vector>

#include "heed/nn/step_decoder.h"

namespace heed {

// A model of an ensemble, with the ids that it has for the ensemble's words.
struct EnsembleMember {
  std::unique_ptr<StepDecoder> decoder;
  std::vector<int32_t> source_ids, target_ids;  // a permutation of target ids
};

// A token's probability is the mean of what the members give it, who have all read the same prefix (for
// translation: Sutskever et al. 2014, section 3.6).
class EnsembleStepDecoder final : public StepDecoder {
 public:
  // Throws Error where there are none, and where not all have as many words, and a target id for each.
  explicit EnsembleStepDecoder(std::vector<EnsembleMember> members);

  int64_t vocabulary_size() const override;
  int64_t longest() const override;  // what all of them can read
  std::unique_ptr<DecoderState> make_state() const override;
  void start(Context& c, DecoderState& state, const TokenField& source) const override;
  // Throws InputError where a member gives NaN.
  Candidates candidates(Context& c, const DecoderState& state, int64_t k,
                        std::span<const float> bias) const override;
  std::vector<float> log_probs(Context& c, const DecoderState& state) const override;
  void select(DecoderState& state, std::span<const int32_t> parents) const override;
  void append(Context& c, DecoderState& state, std::span<const int32_t> tokens) const override;

 private:
  std::vector<EnsembleMember> members_;
};

}  // namespace heed
