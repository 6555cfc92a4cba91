// Reading a parallel corpus line by line.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "heed/data/data_config.h"
#include "heed/text/line_reader.h"
#include "heed/text/text_processor.h"

namespace heed {

// Gives one sentence pair after another. Every error is an InputError with file and line: those of
// LineReader, files of different length (with both counts), a wrong number of columns, a configuration
// without files.
class CorpusReader {
 public:
  using Open = std::function<LineReader(const std::string& path)>;
  explicit CorpusReader(
      const CorpusConfig& config,
      const Open& open = [](const std::string& path) { return LineReader(path); });

  bool next();  // false at the end

  // The pair last read. The target is empty where the corpus has none, and a label where it has those.
  const std::string& source() const { return source_; }
  const std::string& target() const { return target_; }
  int64_t number() const { return readers_[0].number(); }  // its line, from 1
  bool has_target() const { return has_target_; }

 private:
  void fail_lengths(size_t ended);
  void split_columns(const std::string& line);

  CorpusConfig config_;
  std::vector<LineReader> readers_;
  bool has_target_ = false;
  std::string source_;
  std::string target_;
};

// The corpus as the text floor wants it for building vocabularies; both: source and target in turns.
OpenSentences open_sentences(const CorpusConfig& config);

}  // namespace heed
