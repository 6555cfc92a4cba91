// Raw text in, raw text out.
#pragma once

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "heed/decode/search.h"
#include "heed/models/encoder_decoder.h"
#include "heed/text/text_processor.h"

namespace heed {

struct TranslatedHypothesis {
  std::string text;
  std::vector<std::string> pieces;
  std::vector<float> token_log_probs;  // of the pieces, and of </s> when the hypothesis ended
  double score = 0.0;
  double log_prob = 0.0;
  bool ended = false;
};

// A line as the model reads it.
struct SourceLine {
  std::vector<std::string> pieces;
  bool cut = false;  // the line had more
};

struct Translation {
  std::vector<std::string> source_pieces;
  bool cut = false;                              // the line had more
  std::vector<TranslatedHypothesis> hypotheses;  // best first; one empty hypothesis for an empty line

  const std::string& text() const { return hypotheses.front().text; }
};

struct TranslateOptions {
  SearchOptions search;
  int64_t n_best = 1;
  int64_t batch_sentences = 64;
  int64_t batch_tokens = 2048;
  int64_t max_source_length = 1024;

  void visit(ConfigVisitor& v);
  // Throws InputError where a batch would hold more than can be counted, Error where nothing is asked for.
  void check() const;
};

// Translates sentences; the model and the text part must outlive it.
class Translator {
 public:
  Translator(const EncoderDecoder& model, const ModelText& text) : Translator(model.step_decoder(), text) {}
  Translator(std::unique_ptr<StepDecoder> decoder, const ModelText& text)
      : decoder_(std::move(decoder)), text_(text) {}

  // A source longer than max_source_length, or than the model can read, is cut there. Throws InputError on a
  // line that is not UTF-8.
  SourceLine read(const std::string& line,
                  int64_t max_source_length = TranslateOptions().max_source_length) const;

  // In the order of the input, whatever the batches. The observer is told the index of a step's line. Throws
  // InputError on a line that is not UTF-8 and when the model gives NaN, and what options.check() throws.
  std::vector<Translation> translate(Context& c, const std::vector<std::string>& lines,
                                     const TranslateOptions& options,
                                     const SearchObserver& observer = {}) const;

 private:
  std::unique_ptr<StepDecoder> decoder_;
  const ModelText& text_;
};

}  // namespace heed
