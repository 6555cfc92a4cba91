// From models to pictures: what attend and report show.
#pragma once

#include <optional>
#include <string>

#include "heed/train/saved_model.h"
#include "heed/view/attention.h"
#include "heed/view/report.h"

namespace heed::view {

struct LookOptions {
  AttentionKind kind = AttentionKind::source;
  int64_t layer = 0;  // from 1; 0: all
  int64_t head = 0;   // from 1; 0: all
  bool join = true;   // subwords to words
};

// The attention while the model reads `source` and writes `target` (or, without one, its own translation),
// the average of the chosen heads first. Throws InputError for a layer or head the model lacks, or an empty
// sentence.
AttentionMap look(SavedModel& model, const std::string& source, const std::optional<std::string>& target,
                  const LookOptions& options);

// How a classifier reads `text`: its words with their weights, and the class they lead to. Throws InputError
// where the model does not attend or the text is empty.
WordWeights look_at_words(SavedModel& model, const std::string& text, bool join = true);

// Translates a sentence, watching: every layer's attention, the beam as a tree, each token's probability.
void look_at_sentence(SavedModel& model, const std::string& source, const SearchOptions& search,
                      RunReport& report);

// The same of a text and a classifier: its class, and its words with their weights, where it attends.
void look_at_text(SavedModel& model, const std::string& text, RunReport& report);

}  // namespace heed::view
