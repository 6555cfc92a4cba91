#include "heed/data/corpus_reader.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "heed/base/error.h"
#include "heed/base/text_util.h"

namespace heed {

std::string CorpusConfig::name() const {
  if (!tsv.empty()) return tsv;
  return target.empty() ? source : source + ", " + target;
}

namespace {

bool is_target(const std::string& column) {
  return column == "target" || column == "label";
}

void check(const CorpusConfig& config) {
  if (!config.tsv.empty() && !(config.source.empty() && config.target.empty()))
    fail_input("data: both tsv ({}) and source or target files are given; give one or the other", config.tsv);
  if (config.tsv.empty() && config.source.empty())
    fail_input("data: no source file; give source and target, or one tsv");
  if (config.tsv.empty()) return;
  for (const std::string& column : config.columns)
    if (column != "source" && column != "-" && !is_target(column))
      fail_input("data.columns: {} found where source, target, label or - is expected", in_quotes(column));
  const auto count = [&](auto is_side) {
    return std::count_if(config.columns.begin(), config.columns.end(), is_side);
  };
  if (count([](const std::string& column) { return column == "source"; }) != 1 || count(is_target) > 1)
    fail_input("data.columns: [{}] must name one source and at most one target or label",
               joined(config.columns));
}

}  // namespace

CorpusReader::CorpusReader(const CorpusConfig& config, const Open& open) : config_(config) {
  check(config_);
  if (!config_.tsv.empty()) {
    readers_.push_back(open(config_.tsv));
    has_target_ = std::any_of(config_.columns.begin(), config_.columns.end(), is_target);
    return;
  }
  readers_.push_back(open(config_.source));
  has_target_ = !config_.target.empty();
  if (has_target_) readers_.push_back(open(config_.target));
}

bool CorpusReader::next() {
  if (!config_.tsv.empty()) {
    std::string line;
    if (!readers_[0].next(line)) return false;
    split_columns(line);
    return true;
  }
  const bool more = readers_[0].next(source_);
  if (readers_.size() == 1) return more;
  const bool target_more = readers_[1].next(target_);
  if (more != target_more) fail_lengths(more ? 1 : 0);
  return more;
}

void CorpusReader::fail_lengths(size_t ended) {
  const int64_t shorter = readers_[ended].number();
  LineReader& longer = readers_[1 - ended];
  for (std::string line; longer.next(line);) continue;
  fail_input("{} has {} lines, {} has {}; a parallel corpus has as many in both files",
             readers_[ended].name(), shorter, longer.name(), longer.number());
}

void CorpusReader::split_columns(const std::string& line) {
  const std::vector<std::string> found = split(line, '\t');
  if (found.size() != config_.columns.size())
    fail_input("{}: {} columns found, {} expected ({}); tabs separate columns", readers_[0].where(),
               found.size(), config_.columns.size(), joined(config_.columns));
  for (size_t i = 0; i < found.size(); ++i) {
    if (config_.columns[i] == "source") source_ = found[i];
    if (is_target(config_.columns[i])) target_ = found[i];
  }
}

OpenSentences open_sentences(const CorpusConfig& config) {
  return [config](TextSide side) -> SentenceStream {
    auto reader = std::make_shared<CorpusReader>(config);
    if (!reader->has_target()) {
      if (side == TextSide::kTarget) fail_input("data: {} has no target side", config.name());
      side = TextSide::kSource;
    }
    return [reader, side, target_next = false](std::string& sentence) mutable {
      if (!target_next && !reader->next()) return false;
      const bool target = side == TextSide::kTarget || target_next;
      sentence = target ? reader->target() : reader->source();
      target_next = side == TextSide::kBoth && !target_next;
      return true;
    };
  };
}

}  // namespace heed
