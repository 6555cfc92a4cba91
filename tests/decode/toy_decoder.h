// A decoder whose distribution after each prefix is written down by the test.
#pragma once

#include <algorithm>
#include <cmath>
#include <map>
#include <vector>

#include "heed/nn/step_decoder.h"

namespace heed::test {

using Prefix = std::vector<int32_t>;

// Probabilities of all words after a prefix; a row of a source begins with the source's first token, so that
// sources can differ. What is not written down ends the sentence.
class ToyDecoder : public StepDecoder {
 public:
  ToyDecoder(int64_t words, std::map<Prefix, std::vector<double>> table)
      : words_(words), table_(std::move(table)) {}

  int64_t vocabulary_size() const override { return words_; }
  std::unique_ptr<DecoderState> make_state() const override { return std::make_unique<State>(); }

  void start(Context&, DecoderState& state, const TokenField& source) const override {
    for (int64_t i = 0; i < source.layout.sentences(); ++i)
      mine(state).prefixes.push_back({source.ids[source.layout.begin(i)]});
  }
  Candidates candidates(Context& c, const DecoderState& state, int64_t k,
                        std::span<const float>) const override {
    const std::vector<float> all = log_probs(c, state);
    Candidates best{k, {}, {}};
    for (int64_t row = 0; row < state.rows(); ++row) {
      std::vector<int32_t> ids(words_);
      for (int64_t i = 0; i < words_; ++i) ids[i] = static_cast<int32_t>(i);
      std::stable_sort(ids.begin(), ids.end(),
                       [&](int32_t a, int32_t b) { return all[row * words_ + a] > all[row * words_ + b]; });
      for (int64_t j = 0; j < k; ++j) {
        best.ids.push_back(ids[j]);
        best.log_probs.push_back(all[row * words_ + ids[j]]);
      }
    }
    return best;
  }
  std::vector<float> log_probs(Context&, const DecoderState& state) const override {
    std::vector<float> all;
    for (const Prefix& prefix : static_cast<const State&>(state).prefixes) {
      const auto found = table_.find(prefix);
      for (int64_t i = 0; i < words_; ++i) {
        const double p = found != table_.end() ? found->second[i] : i == kEndToken ? 1.0 : 0.0;
        all.push_back(static_cast<float>(std::log(p)));
      }
    }
    return all;
  }
  void select(DecoderState& state, std::span<const int32_t> parents) const override {
    std::vector<Prefix> selected;
    for (const int32_t parent : parents) selected.push_back(mine(state).prefixes.at(parent));
    mine(state).prefixes = std::move(selected);
  }
  void append(Context&, DecoderState& state, std::span<const int32_t> tokens) const override {
    for (size_t i = 0; i < tokens.size(); ++i) mine(state).prefixes.at(i).push_back(tokens[i]);
  }

 private:
  struct State final : DecoderState {
    int64_t rows() const override { return static_cast<int64_t>(prefixes.size()); }
    std::vector<Prefix> prefixes;
  };
  static State& mine(DecoderState& state) { return static_cast<State&>(state); }

  int64_t words_;
  std::map<Prefix, std::vector<double>> table_;
};

}  // namespace heed::test
