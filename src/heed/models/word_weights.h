// The weights that stand for words, and which of them are one. Letters: N rows of a decoding step, D width of
// what the output layer reads, V words.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "heed/base/error.h"
#include "heed/nn/parameters.h"
#include "heed/nn/step_decoder.h"

namespace heed {

// Which of source embedding, target embedding and output are one weight (Press & Wolf 2017).
enum class Tying { all, target, none };

// Throws InputError where one weight would have to embed vocabularies of different sizes.
inline void require_one_vocabulary(Tying tying, int64_t source_words, int64_t target_words) {
  if (tying != Tying::all || source_words == target_words) return;
  fail_input(
      "model.tying: all needs one vocabulary for both sides, but the source has {} words and the target {}; "
      "set "
      "text.shared: true, or model.tying: target",
      source_words, target_words);
}

struct WordWeightsOptions {
  Tying tying = Tying::all;
  bool output_bias = false;
  int64_t width = 0;  // D, of the embeddings too
  int64_t source_words = 0, target_words = 0;
};

// The store's, in which they are found by the names "source.embedding", "target.embedding", "output.weight"
// and "output.bias".
struct WordWeights {
  const Parameter* source_embedding = nullptr;
  const Parameter* target_embedding = nullptr;
  const Parameter* output_weight = nullptr;  // [V, D]
  const Parameter* output_bias = nullptr;    // [V], or none

  WordWeights() = default;
  // Rows start as N(0, 1/D), which keeps them near length one.
  WordWeights(ParameterStore& store, const WordWeightsOptions& options);

  // What a step decoder tells of states [N, D].
  int64_t vocabulary_size() const { return output_weight->shape().rows(); }
  Candidates candidates(Context& c, const Tensor& states, int64_t k, std::span<const float> bias) const;
  std::vector<float> log_probs(Context& c, const Tensor& states) const;
};

}  // namespace heed
