// How search sees a model that writes from left to right, whatever its architecture.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <vector>

#include "heed/tensor/context.h"
#include "heed/tensor/layout.h"

namespace heed {

// The k best next tokens of each row, best first.
struct Candidates {
  int64_t k = 0;
  std::vector<int32_t> ids;      // [rows, k]
  std::vector<float> log_probs;  // [rows, k]
};

// What decoding has reached; each model has its own. Rows are hypotheses, each with its own position, so that
// sentences join and leave a running batch.
class DecoderState {
 public:
  virtual ~DecoderState() = default;
  virtual int64_t rows() const = 0;
};

// Stateless itself, so one serves many states. Decoding resets the context's step memory between calls:
// nothing in it lives longer than one.
//
// Throws InputError on ids outside the vocabulary and on what is longer than longest(), Error on tokens or
// biases that are not as many as the state's rows ask for.
class StepDecoder {
 public:
  virtual ~StepDecoder() = default;

  virtual int64_t vocabulary_size() const = 0;
  // The most tokens that a source or an output may have, </s> included.
  virtual int64_t longest() const { return std::numeric_limits<int32_t>::max(); }
  virtual std::unique_ptr<DecoderState> make_state() const = 0;

  // Reads these sources and appends one row for each, at its first position.
  virtual void start(Context& c, DecoderState& state, const TokenField& source) const = 0;

  // `bias` is empty or [rows, V] and is added to the log-probabilities; -infinity forbids a token.
  virtual Candidates candidates(Context& c, const DecoderState& state, int64_t k,
                                std::span<const float> bias = {}) const = 0;

  // The log-probability of every token: [rows, V].
  virtual std::vector<float> log_probs(Context& c, const DecoderState& state) const = 0;

  // Row i becomes what row parents[i] was, one of the rows there are; rows that nobody names are gone.
  virtual void select(DecoderState& state, std::span<const int32_t> parents) const = 0;

  // Row i continues with tokens[i]: [rows].
  virtual void append(Context& c, DecoderState& state, std::span<const int32_t> tokens) const = 0;
};

}  // namespace heed
