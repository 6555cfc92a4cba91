// Batches of ragged sentences, and which sentences go together.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "heed/data/corpus.h"
#include "heed/tensor/layout.h"

namespace heed {

// Named fields with the same sentences in the same order.
struct Batch {
  std::vector<std::pair<std::string, TokenField>> fields;

  int64_t sentences() const { return fields.empty() ? 0 : fields.front().second.layout.sentences(); }
  bool has(std::string_view name) const;
  const TokenField& field(std::string_view name) const;  // throws Error where there is none
};

// Rows in the order of the sentences; numbers as in Layout.
TokenField make_field(std::span<const std::vector<int32_t>> sentences, std::vector<uint64_t> numbers = {});

// Where the batch ends that begins there: after one sentence, or as many as do not pass either limit.
size_t end_of_batch(std::span<const std::vector<int32_t>> sentences, size_t begin, int64_t most_sentences,
                    int64_t most_tokens);

// A field for each column, its sentences numbered as in the corpus.
Batch make_batch(const Corpus& corpus, std::span<const uint32_t> indices);

enum class BatchSize {
  kPadded,     // longest sentence of either side x sentences <= tokens, as in fairseq's max-tokens
  kRows,       // rows of the larger side <= tokens
  kSentences,  // so many sentences
};

struct BatchOptions {
  BatchSize size = BatchSize::kPadded;
  int64_t tokens = 4096;   // a sentence that is longer is a batch of its own
  int64_t sentences = 32;  // of kSentences
  bool shuffle = true;     // false: one fixed order, for validation
  bool by_length = true;   // sentences of similar length together; false: as they come
  int64_t batches_per_update = 1;
};

// One epoch: shuffle, sort by target then source length, cut, shuffle the batches. A pure function of the
// arguments, so that (epoch, update) is all that a resumed training needs to know.
class BatchPlan {
 public:
  BatchPlan(const Corpus& corpus, const BatchOptions& options, uint64_t seed, uint64_t epoch);

  size_t batches() const { return starts_.size(); }
  // The sentences of a batch, as indices into the corpus.
  std::span<const uint32_t> batch(size_t i) const;

  // An update is batches_per_update batches, the last one of the epoch perhaps fewer.
  size_t updates() const { return (batches() + per_update_ - 1) / per_update_; }
  size_t first_batch(size_t update) const { return update * per_update_; }
  size_t batches_of(size_t update) const;

 private:
  std::vector<uint32_t> order_;                        // all sentences, batch by batch as they were cut
  std::vector<std::pair<uint32_t, uint32_t>> starts_;  // begin and end in order_, in the order of the epoch
  size_t per_update_;
};

}  // namespace heed
