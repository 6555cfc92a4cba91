#include "heed/decode/ensemble.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "heed/base/error.h"
#include "heed/decode/search.h"
#include "heed/text/vocabulary.h"

namespace heed {
namespace {

// What each member has reached, in the members' order.
class EnsembleState final : public DecoderState {
 public:
  int64_t rows() const override { return members.front()->rows(); }
  std::vector<std::unique_ptr<DecoderState>> members;
};

EnsembleState& as_ensemble(DecoderState& state) {
  return static_cast<EnsembleState&>(state);
}
const EnsembleState& as_ensemble(const DecoderState& state) {
  return static_cast<const EnsembleState&>(state);
}

}  // namespace

EnsembleStepDecoder::EnsembleStepDecoder(std::vector<EnsembleMember> members) : members_(std::move(members)) {
  require(!members_.empty(), "an ensemble of no models");
  for (const EnsembleMember& member : members_)
    require(static_cast<int64_t>(member.target_ids.size()) == member.decoder->vocabulary_size(),
            "ensemble: {} target ids for a model of {} words", member.target_ids.size(),
            member.decoder->vocabulary_size());
}

int64_t EnsembleStepDecoder::vocabulary_size() const {
  return members_.front().decoder->vocabulary_size();
}

int64_t EnsembleStepDecoder::longest() const {
  int64_t longest = members_.front().decoder->longest();
  for (const EnsembleMember& member : members_) longest = std::min(longest, member.decoder->longest());
  return longest;
}

std::unique_ptr<DecoderState> EnsembleStepDecoder::make_state() const {
  auto state = std::make_unique<EnsembleState>();
  for (const EnsembleMember& member : members_) state->members.push_back(member.decoder->make_state());
  return state;
}

void EnsembleStepDecoder::start(Context& c, DecoderState& state, const TokenField& source) const {
  for (size_t m = 0; m < members_.size(); ++m)
    members_[m].decoder->start(c, *as_ensemble(state).members[m],
                               {renumbered(source.ids, members_[m].source_ids), source.layout});
}

std::vector<float> EnsembleStepDecoder::log_probs(Context& c, const DecoderState& state) const {
  const auto words = static_cast<size_t>(vocabulary_size());
  const auto rows = static_cast<size_t>(state.rows());
  const auto share = 1.0f / static_cast<float>(members_.size());
  std::vector<float> mean(rows * words);
  for (size_t m = 0; m < members_.size(); ++m) {
    const std::vector<int32_t>& ids = members_[m].target_ids;
    const std::vector<float> theirs = members_[m].decoder->log_probs(c, *as_ensemble(state).members[m]);
    c.pool.run(state.rows(), [&](int64_t row) {
      const size_t first = static_cast<size_t>(row) * words;
      for (size_t w = 0; w < words; ++w)
        mean[first + w] += share * std::exp(theirs[first + static_cast<size_t>(ids[w])]);
    });
  }
  c.pool.run(state.rows(), [&](int64_t row) {
    const auto begin = mean.begin() + row * vocabulary_size();
    std::transform(begin, begin + vocabulary_size(), begin, [](float p) { return std::log(p); });
  });
  return mean;
}

Candidates EnsembleStepDecoder::candidates(Context& c, const DecoderState& state, int64_t k,
                                           std::span<const float> bias) const {
  std::vector<float> scores = log_probs(c, state);
  require(bias.empty() || bias.size() == scores.size(), "decoding: {} biases for {} rows of {} words",
          bias.size(), state.rows(), vocabulary_size());
  for (size_t i = 0; i < scores.size(); ++i) {
    require_number(scores[i]);  // what is not cannot be sorted
    if (!bias.empty()) scores[i] += bias[i];
  }
  const auto found = static_cast<size_t>(state.rows() * k);
  Candidates best{k, std::vector<int32_t>(found), std::vector<float>(found)};
  c.pool.run(state.rows(), [&](int64_t row) {
    const float* of_row = scores.data() + row * vocabulary_size();
    std::vector<int32_t> order(static_cast<size_t>(vocabulary_size()));
    std::iota(order.begin(), order.end(), 0);
    // Ties go to the smaller id, as with one model.
    std::partial_sort(order.begin(), order.begin() + k, order.end(), [&](int32_t a, int32_t b) {
      return of_row[a] != of_row[b] ? of_row[a] > of_row[b] : a < b;
    });
    std::copy_n(order.begin(), k, best.ids.begin() + row * k);
    std::transform(order.begin(), order.begin() + k, best.log_probs.begin() + row * k,
                   [&](int32_t id) { return of_row[id]; });
  });
  return best;
}

void EnsembleStepDecoder::select(DecoderState& state, std::span<const int32_t> parents) const {
  for (size_t m = 0; m < members_.size(); ++m)
    members_[m].decoder->select(*as_ensemble(state).members[m], parents);
}

void EnsembleStepDecoder::append(Context& c, DecoderState& state, std::span<const int32_t> tokens) const {
  for (size_t m = 0; m < members_.size(); ++m)
    members_[m].decoder->append(c, *as_ensemble(state).members[m],
                                renumbered(tokens, members_[m].target_ids));
}

}  // namespace heed
