// Encoded corpora in memory: a column of token ids a side, four bytes a token.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "heed/data/data_config.h"
#include "heed/text/text_processor.h"

namespace heed {

// Sentence i is ids[offsets[i]] .. ids[offsets[i + 1]].
struct Column {
  std::string name;  // "source", "target" or "label"
  std::vector<int32_t> ids = {};
  std::vector<uint64_t> offsets = {0};

  void add(std::span<const int32_t> sentence);
  std::span<const int32_t> sentence(size_t i) const {
    return std::span(ids).subspan(offsets[i], offsets[i + 1] - offsets[i]);
  }
  int32_t length(size_t i) const { return static_cast<int32_t>(offsets[i + 1] - offsets[i]); }
};

// Columns of equally many sentences. Source and target sentences end with </s>; a label is one id, its class.
struct Corpus {
  std::vector<Column> columns;
  std::vector<uint64_t> numbers;  // of each sentence: its line in the corpus, from 1

  size_t size() const { return numbers.size(); }
  bool empty() const { return numbers.empty(); }
  const Column& column(std::string_view name) const;  // throws Error where there is none
  // The sentences with these indices, in this order.
  Corpus subset(std::span<const uint32_t> indices) const;
  // A number of its contents, so that resuming on other data is noticed.
  std::string fingerprint() const;
};

// Lines that something was said about: how many, and the first few of them.
struct LineCount {
  int64_t count = 0;
  std::vector<int64_t> first;  // at most five line numbers

  void add(int64_t line);
  // "3 WHAT (lines 4, 9, 12)"
  std::string told(const std::string& what) const;
};

// What reading a corpus found.
struct CorpusReport {
  std::string name;
  int64_t lines = 0;
  int64_t kept = 0;
  int64_t source_tokens = 0;  // of what was kept, </s> included
  int64_t target_tokens = 0;
  LineCount empty;     // skipped: one side has no words
  LineCount too_long;  // skipped, or cut
  bool cut = false;
  LineCount unknown;      // kept, with pieces that the vocabulary lacks
  LineCount of_held_out;  // left out: the source is that of a sentence held out
  int64_t unknown_tokens = 0;

  // For people: one line of totals, then one for each thing found.
  std::vector<std::string> messages() const;
  // The things found, without the corpus' name.
  std::vector<std::string> found() const;
};

// Limits of the lengths, in tokens with </s>.
struct LengthLimits {
  int64_t source = 512;
  int64_t target = 512;
  LongSentences longer = LongSentences::kSkip;
};

// Reads and encodes. Throws InputError for what CorpusReader refuses, for an unknown label, and where nothing
// is left.
Corpus read_corpus(const CorpusConfig& config, const ModelText& text, const LengthLimits& limits,
                   CorpusReport& report);

// All that a training reads: both corpora, and the text of dev (for BLEU and pictures), sentence by sentence.
struct TrainingData {
  Corpus train;
  Corpus dev;  // empty where there is no validation
  std::vector<std::string> dev_source;
  std::vector<std::string> dev_target;
  CorpusReport train_report;
  CorpusReport dev_report;
};

// Without dev files, sentences are held out of train, and with each all others of the same source, so that no
// source sentence of dev is seen in training. Which ones depends on the corpus only; sources that more than a
// twentieth of all sentences share stay in train.
TrainingData read_training_data(const DataConfig& config, const ModelText& text);

}  // namespace heed
