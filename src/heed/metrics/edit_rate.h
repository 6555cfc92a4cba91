// Error rates by edit distance (insertions, deletions, substitutions) to the closest reference, over that
// reference's length: WER counts words, PER the phonemes of a pronunciation, both divided by white space.
//
// Pronunciations: a line is one word, spelled in phonemes, and a reference may hold several pronunciations
// with tabs between them. WER is then the share of words that none of their pronunciations matches exactly.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "heed/metrics/score.h"

namespace heed {

enum class EditRateKind { kWer, kPer };

struct EditRateOptions {
  EditRateKind kind = EditRateKind::kWer;
  bool pronunciations = false;
  bool lowercase = false;
};

// The statistics of a corpus: add sentences, merge with another part's, score.
class EditRate {
 public:
  explicit EditRate(EditRateOptions options = {}) : options_(options) {}
  // The reference with the fewest edits counts, of equals the shorter one. Throws InputError for text that is
  // not UTF-8, Error without a reference.
  void add(const std::string& hypothesis, std::span<const std::string> references);
  void merge(const EditRate& other);
  // 0 for a perfect hypothesis; above 100 where more was inserted than the references hold.
  MetricScore score() const;

 private:
  EditRateOptions options_;
  ReferenceCount references_;
  int64_t lines_ = 0;
  int64_t wrong_lines_ = 0;
  int64_t edits_ = 0;
  int64_t reference_length_ = 0;
};

}  // namespace heed
