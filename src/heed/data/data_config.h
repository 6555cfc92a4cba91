// Which files are the data: the `data` part of a configuration.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heed/base/config.h"

namespace heed {

// One corpus: a file a side with as many lines each, or one file with a column a side. Plain or .gz.
struct CorpusConfig {
  std::string source = {};
  std::string target = {};
  std::string tsv = {};
  std::vector<std::string> columns = {"source", "target"};

  bool given() const { return !source.empty() || !target.empty() || !tsv.empty(); }
  std::string name() const;  // its files, for messages

  void visit(ConfigVisitor& v) {
    v("source", source, "file with one source sentence a line, plain or .gz");
    v("target", target, "file with the target sentences (or the labels), as many lines");
    v("tsv", tsv, "instead of the two: one file with tabs between the columns, plain or .gz");
    v("columns", columns, "what the columns of the tsv are: source, target, label, or - for one to ignore");
  }
};

enum class LongSentences { kSkip, kCut };

struct DataConfig {
  CorpusConfig train;
  CorpusConfig dev;
  int64_t held_out = 500;
  int64_t max_source_length = 512;
  int64_t max_target_length = 512;
  LongSentences longer = LongSentences::kSkip;

  // Tokens of a text that a classifier reads, </s> included: where training cut long ones, so does it; 0:
  // all.
  int64_t longest_read() const { return longer == LongSentences::kCut ? max_source_length : 0; }

  void visit(ConfigVisitor& v) {
    v("held_out", held_out, "without dev: sentences held out, at most one in twenty; 0: no validation",
      at_least(0));
    v("max_source_length", max_source_length, "tokens of the longest source sentence, </s> included",
      between(1, 1e6));
    v("max_target_length", max_target_length, "tokens of the longest target sentence, </s> included",
      between(1, 1e6));
    v("longer", longer, {"skip", "cut"}, "what happens to longer sentences in training");
    v.group("train", train, "the corpus to learn from");
    v.group("dev", dev, "the corpus to validate on; without it, sentences are held out of train");
  }
};

}  // namespace heed
