#include "heed/data/batch.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "heed/base/error.h"
#include "heed/base/random.h"

namespace heed {

bool Batch::has(std::string_view name) const {
  return std::any_of(fields.begin(), fields.end(), [&](const auto& field) { return field.first == name; });
}

const TokenField& Batch::field(std::string_view name) const {
  for (const auto& [key, field] : fields)
    if (key == name) return field;
  fail("batch: no field \"{}\"", name);
}

TokenField make_field(std::span<const std::vector<int32_t>> sentences, std::vector<uint64_t> numbers) {
  TokenField field;
  std::vector<int32_t> lengths;
  for (const std::vector<int32_t>& sentence : sentences) {
    field.ids.insert(field.ids.end(), sentence.begin(), sentence.end());
    lengths.push_back(static_cast<int32_t>(sentence.size()));
  }
  field.layout = Layout::of_lengths(lengths, std::move(numbers));
  return field;
}

size_t end_of_batch(std::span<const std::vector<int32_t>> sentences, size_t begin, int64_t most_sentences,
                    int64_t most_tokens) {
  size_t end = begin;
  for (int64_t tokens = 0; end < sentences.size(); ++end) {
    tokens += static_cast<int64_t>(sentences[end].size());
    const bool fits = static_cast<int64_t>(end - begin) < most_sentences && tokens <= most_tokens;
    if (end > begin && !fits) break;
  }
  return end;
}

Batch make_batch(const Corpus& corpus, std::span<const uint32_t> indices) {
  Batch batch;
  std::vector<uint64_t> numbers;
  for (const uint32_t i : indices) numbers.push_back(corpus.numbers[i]);
  for (const Column& column : corpus.columns) {
    TokenField field;
    std::vector<int32_t> lengths;
    for (const uint32_t i : indices) {
      const std::span<const int32_t> sentence = column.sentence(i);
      field.ids.insert(field.ids.end(), sentence.begin(), sentence.end());
      lengths.push_back(static_cast<int32_t>(sentence.size()));
    }
    field.layout = Layout::of_lengths(lengths, numbers);
    batch.fields.emplace_back(column.name, std::move(field));
  }
  return batch;
}

namespace {

// What an epoch draws random numbers for. The numbers stay as they are: they decide the order of batches.
enum class Draw : uint64_t { kSentences = 0, kBatches = 2 };

uint64_t key_of(uint64_t seed, uint64_t epoch, Draw draw) {
  return mix64(mix64(seed, epoch), static_cast<uint64_t>(draw));
}

// Fisher and Yates.
template <class T>
void shuffle(std::vector<T>& items, uint64_t key) {
  for (size_t i = items.size(); i > 1; --i) std::swap(items[i - 1], items[uniform_below(key, i, i)]);
}

// By the length of the last column, the target, then of the first, the source.
void sort_by_length(const Corpus& corpus, std::vector<uint32_t>& order) {
  const auto lengths = [&](uint32_t i) {
    return std::pair(corpus.columns.back().length(i), corpus.columns.front().length(i));
  };
  std::stable_sort(order.begin(), order.end(),
                   [&](uint32_t a, uint32_t b) { return lengths(a) < lengths(b); });
}

// The size of a growing batch.
class Measure {
 public:
  Measure(const Corpus& corpus, const BatchOptions& options) : corpus_(corpus), options_(options) { clear(); }

  void clear() {
    count_ = longest_ = 0;
    rows_.assign(corpus_.columns.size(), 0);
  }

  void add(uint32_t sentence) {
    ++count_;
    for (size_t c = 0; c < rows_.size(); ++c) {
      const int64_t length = corpus_.columns[c].length(sentence);
      rows_[c] += length;
      longest_ = std::max(longest_, length);
    }
  }

  bool too_large() const {
    switch (options_.size) {
      case BatchSize::kPadded:
        return longest_ * count_ > options_.tokens;
      case BatchSize::kRows:
        return *std::max_element(rows_.begin(), rows_.end()) > options_.tokens;
      case BatchSize::kSentences:
        return count_ > options_.sentences;
    }
    fail("batches: unknown size");
  }

 private:
  const Corpus& corpus_;
  const BatchOptions& options_;
  int64_t count_ = 0;
  int64_t longest_ = 0;
  std::vector<int64_t> rows_;
};

}  // namespace

BatchPlan::BatchPlan(const Corpus& corpus, const BatchOptions& options, uint64_t seed, uint64_t epoch)
    : order_(corpus.size()), per_update_(static_cast<size_t>(options.batches_per_update)) {
  require(corpus.size() < std::numeric_limits<uint32_t>::max(), "batches: {} sentences are too many",
          corpus.size());
  require(options.batches_per_update > 0 && options.tokens > 0 && options.sentences > 0,
          "batches: sizes must be positive");
  std::iota(order_.begin(), order_.end(), uint32_t{0});
  if (options.shuffle) shuffle(order_, key_of(seed, epoch, Draw::kSentences));
  if (options.by_length && !corpus.empty()) sort_by_length(corpus, order_);

  Measure measure(corpus, options);
  uint32_t begin = 0;
  for (uint32_t i = 0; i < order_.size(); ++i) {
    measure.add(order_[i]);
    if (i == begin || !measure.too_large()) continue;
    starts_.emplace_back(begin, i);
    begin = i;
    measure.clear();
    measure.add(order_[i]);
  }
  if (begin < order_.size()) starts_.emplace_back(begin, static_cast<uint32_t>(order_.size()));
  if (options.shuffle) shuffle(starts_, key_of(seed, epoch, Draw::kBatches));
}

std::span<const uint32_t> BatchPlan::batch(size_t i) const {
  const auto [begin, end] = starts_[i];
  return std::span(order_).subspan(begin, end - begin);
}

size_t BatchPlan::batches_of(size_t update) const {
  return std::min(per_update_, batches() - first_batch(update));
}

}  // namespace heed
