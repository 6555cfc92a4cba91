#include "heed/data/corpus.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "heed/base/error.h"
#include "heed/base/random.h"
#include "heed/base/text_util.h"
#include "heed/data/corpus_reader.h"

namespace heed {

void Column::add(std::span<const int32_t> sentence) {
  ids.insert(ids.end(), sentence.begin(), sentence.end());
  offsets.push_back(ids.size());
}

const Column& Corpus::column(std::string_view name) const {
  for (const Column& column : columns)
    if (column.name == name) return column;
  fail("corpus: no column \"{}\"", name);
}

Corpus Corpus::subset(std::span<const uint32_t> indices) const {
  Corpus part;
  for (const Column& column : columns) {
    Column& copy = part.columns.emplace_back(Column{column.name});
    for (const uint32_t i : indices) copy.add(column.sentence(i));
  }
  for (const uint32_t i : indices) part.numbers.push_back(numbers[i]);
  return part;
}

std::string Corpus::fingerprint() const {
  uint64_t key = mix64(size());
  for (const Column& column : columns) {
    for (const int32_t id : column.ids) key = mix64(key, static_cast<uint64_t>(id));
    for (const uint64_t offset : column.offsets) key = mix64(key, offset);
  }
  for (const uint64_t number : numbers) key = mix64(key, number);  // random numbers depend on them
  return fmt::format("{:016x}", key);
}

void LineCount::add(int64_t line) {
  constexpr size_t kShown = 5;
  ++count;
  if (first.size() < kShown) first.push_back(line);
}

std::string LineCount::told(const std::string& what) const {
  std::vector<std::string> shown;
  for (const int64_t line : first) shown.push_back(fmt::format("{}", line));
  return fmt::format("{} {} (line{} {}{})", count, what, count == 1 ? "" : "s", joined(shown),
                     count > static_cast<int64_t>(shown.size()) ? ", ..." : "");
}

std::vector<std::string> CorpusReport::messages() const {
  std::vector<std::string> messages = {fmt::format("{}: {} of {} lines, {} source and {} target tokens", name,
                                                   kept, lines, source_tokens, target_tokens)};
  for (const std::string& what : found()) messages.push_back(fmt::format("{}: {}", name, what));
  return messages;
}

std::vector<std::string> CorpusReport::found() const {
  std::vector<std::string> told;
  const auto add = [&](const LineCount& lines, const std::string& what) {
    if (lines.count > 0) told.push_back(lines.told(what));
  };
  add(empty, "skipped: one side is empty");
  add(too_long, cut ? "cut: longer than data.max_source_length or data.max_target_length"
                    : "skipped: longer than data.max_source_length or data.max_target_length");
  add(unknown, fmt::format("with unknown words, {} in all", unknown_tokens));
  add(of_held_out, "left out: their source is that of a sentence held out");
  return told;
}

namespace {

// What a corpus holds; its last column is the target.
void count(const Corpus& corpus, CorpusReport& report) {
  report.kept = static_cast<int64_t>(corpus.size());
  report.source_tokens = static_cast<int64_t>(corpus.columns.front().ids.size());
  report.target_tokens =
      corpus.columns.size() == 2 ? static_cast<int64_t>(corpus.columns.back().ids.size()) : 0;
}

// The labels, the first few of many.
std::string shown(const Labels& labels) {
  constexpr size_t kShown = 10;
  const std::span<const std::string> names = labels.names();
  return joined(names.first(std::min(kShown, names.size()))) + (names.size() > kShown ? ", ..." : "");
}

class CorpusEncoder {
 public:
  CorpusEncoder(const ModelText& text, const LengthLimits& limits, CorpusReport& report)
      : text_(text), limits_(limits), report_(report) {
    report_.cut = limits.longer == LongSentences::kCut;
  }

  Corpus read(const CorpusConfig& config) {
    CorpusReader reader(config);
    report_.name = config.name();
    const bool labelled = text_.labels.size() > 0;
    corpus_.columns.push_back({"source"});
    if (reader.has_target()) corpus_.columns.push_back({labelled ? "label" : "target"});
    while (reader.next()) {
      ++report_.lines;
      const std::vector<int32_t> source = text_.source->encode(reader.source());
      std::vector<int32_t> target;
      if (reader.has_target()) target = labelled ? label(reader) : text_.target->encode(reader.target());
      add(reader.number(), source, target, labelled);
    }
    count(corpus_, report_);
    if (report_.lines == 0) fail_input("{}: the corpus is empty", report_.name);
    if (corpus_.empty())
      fail_input("{}: nothing left of {} lines: {}", report_.name, report_.lines,
                 joined(report_.found(), "; "));
    return std::move(corpus_);
  }

 private:
  std::vector<int32_t> label(const CorpusReader& reader) const {
    const auto id = text_.labels.id(reader.target());
    if (id) return {*id};
    const auto meant = nearest(reader.target(), text_.labels.names());
    fail_input("{}: line {} has the unknown label {}.{} The model's labels are {}", report_.name,
               reader.number(), in_quotes(reader.target()),
               meant ? fmt::format(" Did you mean {}?", *meant) : "", shown(text_.labels));
  }

  void add(int64_t number, std::span<const int32_t> source, std::span<const int32_t> target, bool labelled) {
    const bool paired = corpus_.columns.size() == 2;
    if (source.size() == 1 || (paired && !labelled && target.size() == 1)) return report_.empty.add(number);
    const auto source_limit = static_cast<size_t>(limits_.source),
               target_limit = static_cast<size_t>(limits_.target);
    if (source.size() > source_limit || target.size() > target_limit) {
      report_.too_long.add(number);
      if (limits_.longer == LongSentences::kSkip) return;
      source = source.first(std::min(source.size(), source_limit));
      target = target.first(std::min(target.size(), target_limit));
    }
    int64_t unknown = std::count(source.begin(), source.end(), Vocabulary::kUnknown);
    if (!labelled) unknown += std::count(target.begin(), target.end(), Vocabulary::kUnknown);
    if (unknown > 0) report_.unknown.add(number);
    report_.unknown_tokens += unknown;
    add_ended(corpus_.columns[0], source, true);
    if (paired) add_ended(corpus_.columns[1], target, !labelled);
    corpus_.numbers.push_back(static_cast<uint64_t>(number));
  }

  // A sentence that was cut ends with </s> all the same.
  static void add_ended(Column& column, std::span<const int32_t> sentence, bool ends) {
    column.add(sentence);
    if (ends) column.ids.back() = Vocabulary::kEnd;
  }

  const ModelText& text_;
  const LengthLimits& limits_;
  CorpusReport& report_;
  Corpus corpus_;
};

uint64_t hash_of(std::span<const int32_t> sentence) {
  uint64_t key = 0;
  for (const int32_t id : sentence) key = mix64(key, static_cast<uint64_t>(id));
  return key;
}

// Moves sentences from train to dev: those of the sources that come first in the order of their hashes, the
// first sentence of each; the others of the same source are in neither.
void hold_out(int64_t wanted, TrainingData& data) {
  const size_t twentieth = data.train.size() / 20;
  const size_t most = std::min(static_cast<size_t>(wanted), twentieth);
  const Column& source = data.train.column("source");
  std::vector<uint64_t> hashes;
  for (size_t i = 0; i < data.train.size(); ++i) hashes.push_back(hash_of(source.sentence(i)));
  std::vector<uint64_t> order = hashes;
  std::sort(order.begin(), order.end());
  std::unordered_set<uint64_t> chosen, taken;
  for (size_t begin = 0, end = 0; begin < order.size() && chosen.size() < most; begin = end) {
    while (end < order.size() && order[end] == order[begin]) ++end;
    if (end - begin <= std::max<size_t>(1, twentieth)) chosen.insert(order[begin]);
  }
  std::vector<uint32_t> train, dev;
  for (size_t i = 0; i < hashes.size(); ++i) {
    if (!chosen.contains(hashes[i]))
      train.push_back(static_cast<uint32_t>(i));
    else if (taken.insert(hashes[i]).second)
      dev.push_back(static_cast<uint32_t>(i));
    else
      data.train_report.of_held_out.add(static_cast<int64_t>(data.train.numbers[i]));
  }
  data.dev = data.train.subset(dev);
  data.train = data.train.subset(train);
}

// The lines that became the sentences of dev.
void read_dev_text(const CorpusConfig& config, TrainingData& data) {
  CorpusReader reader(config);
  for (size_t i = 0; i < data.dev.size() && reader.next();) {
    if (static_cast<uint64_t>(reader.number()) != data.dev.numbers[i]) continue;
    data.dev_source.push_back(reader.source());
    data.dev_target.push_back(reader.target());
    ++i;
  }
  if (data.dev_source.size() != data.dev.size()) fail_input("{}: changed while it was read", config.name());
}

}  // namespace

Corpus read_corpus(const CorpusConfig& config, const ModelText& text, const LengthLimits& limits,
                   CorpusReport& report) {
  return CorpusEncoder(text, limits, report).read(config);
}

TrainingData read_training_data(const DataConfig& config, const ModelText& text) {
  const LengthLimits limits = {config.max_source_length, config.max_target_length, config.longer};
  TrainingData data;
  data.train = read_corpus(config.train, text, limits, data.train_report);
  if (config.dev.given()) {
    data.dev = read_corpus(config.dev, text, limits, data.dev_report);
    read_dev_text(config.dev, data);
    return data;
  }
  hold_out(config.held_out, data);
  count(data.train, data.train_report);
  count(data.dev, data.dev_report);
  data.dev_report.name = "held out of " + config.train.name();
  data.dev_report.lines = data.dev_report.kept;
  read_dev_text(config.train, data);
  return data;
}

}  // namespace heed
