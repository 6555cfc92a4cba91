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

// The logarithm of the mean of probabilities, from their logarithms: beside the largest, so that small ones
// do not vanish. NaN where one of them is.
float log_mean(std::span<const float> log_probs) {
  const float largest = *std::max_element(log_probs.begin(), log_probs.end());
  if (std::isinf(largest)) return std::accumulate(log_probs.begin(), log_probs.end(), 0.0f);
  float sum = 0.0f;
  for (const float log_prob : log_probs) sum += std::exp(log_prob - largest);
  return largest + std::log(sum / static_cast<float>(log_probs.size()));
}

}  // namespace

EnsembleStepDecoder::EnsembleStepDecoder(std::vector<EnsembleMember> members) : members_(std::move(members)) {
  require(!members_.empty(), "an ensemble of no models");
  for (const EnsembleMember& member : members_) {
    const int64_t words = member.decoder->vocabulary_size();
    require(words == vocabulary_size() && static_cast<int64_t>(member.target_ids.size()) == words,
            "ensemble: {} target ids for a model of {} words, the first has {}", member.target_ids.size(),
            words, vocabulary_size());
    for (const int32_t id : member.target_ids)
      require(id >= 0 && id < words, "ensemble: target id {} of a model of {} words", id, words);
  }
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
  std::vector<std::vector<float>> theirs;
  for (size_t m = 0; m < members_.size(); ++m)
    theirs.push_back(members_[m].decoder->log_probs(c, *as_ensemble(state).members[m]));
  std::vector<float> mean(theirs.front().size());
  c.pool.run(state.rows(), [&](int64_t row) {
    const auto first = static_cast<size_t>(row * vocabulary_size());
    std::vector<float> of_word(members_.size());
    for (size_t w = 0; w < static_cast<size_t>(vocabulary_size()); ++w) {
      for (size_t m = 0; m < members_.size(); ++m)
        of_word[m] = theirs[m][first + static_cast<size_t>(members_[m].target_ids[w])];
      mean[first + w] = log_mean(of_word);
    }
  });
  return mean;
}

Candidates EnsembleStepDecoder::candidates(Context& c, const DecoderState& state, int64_t k,
                                           std::span<const float> bias) const {
  require(k >= 1 && k <= vocabulary_size(), "ensemble: the best {} of {} words", k, vocabulary_size());
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
