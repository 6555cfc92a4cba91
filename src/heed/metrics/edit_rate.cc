#include "heed/metrics/edit_rate.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>
#include <vector>

#include "heed/base/text_util.h"
#include "heed/metrics/metric_text.h"
#include "heed/metrics/ngrams.h"

namespace heed {
namespace {

// Levenshtein's distance between the words, row by row.
int64_t edits_between(std::span<const uint32_t> from, std::span<const uint32_t> to) {
  const auto same = std::mismatch(from.begin(), from.end(), to.begin(), to.end());
  from = from.subspan(same.first - from.begin());
  to = to.subspan(same.second - to.begin());
  std::vector<int64_t> row(to.size() + 1);
  std::iota(row.begin(), row.end(), 0);
  for (size_t i = 0; i < from.size(); ++i) {
    int64_t diagonal = std::exchange(row[0], static_cast<int64_t>(i) + 1);
    for (size_t j = 0; j < to.size(); ++j) {
      const int64_t replaced = diagonal + (from[i] == to[j] ? 0 : 1);
      diagonal = row[j + 1];
      row[j + 1] = std::min({replaced, diagonal + 1, row[j] + 1});
    }
  }
  return row.back();
}

double error_percent(int64_t errors, int64_t of) {
  if (of == 0) return errors > 0 ? 100 : 0;
  return 100 * static_cast<double>(errors) / static_cast<double>(of);
}

}  // namespace

void EditRate::add(const std::string& hypothesis, std::span<const std::string> references) {
  require(!references.empty(), "an error rate needs a reference for each sentence");
  std::vector<std::string> candidates;
  for (const std::string& reference : references) {
    if (options_.pronunciations) {
      for (std::string& one : split(reference, '\t'))
        if (!one.empty()) candidates.push_back(std::move(one));
    } else {
      candidates.push_back(reference);
    }
  }
  if (candidates.empty()) candidates.emplace_back();
  references_.add(static_cast<int64_t>(candidates.size()));
  WordNumbers numbers;
  std::vector<std::u32string> texts;  // what the words are views into
  texts.reserve(candidates.size() + 1);
  const auto words = [&](const std::string& text) {
    texts.push_back(metric_text(text, options_.lowercase));
    return numbers.of(metric_words(texts.back()));
  };

  const auto hypothesis_words = words(hypothesis);
  std::pair<int64_t, int64_t> closest = {std::numeric_limits<int64_t>::max(), 0};  // (edits, length)
  for (const std::string& candidate : candidates) {
    const auto reference_words = words(candidate);
    closest = std::min(closest, {edits_between(hypothesis_words, reference_words),
                                 static_cast<int64_t>(reference_words.size())});
  }
  ++lines_;
  wrong_lines_ += closest.first > 0 ? 1 : 0;
  edits_ += closest.first;
  reference_length_ += closest.second;
}

void EditRate::merge(const EditRate& other) {
  references_.merge(other.references_);
  lines_ += other.lines_;
  wrong_lines_ += other.wrong_lines_;
  edits_ += other.edits_;
  reference_length_ += other.reference_length_;
}

MetricScore EditRate::score() const {
  const bool of_words = options_.pronunciations && options_.kind == EditRateKind::kWer;
  const std::string signature =
      fmt::format("nrefs:{}|case:{}|tok:none|pronunciations:{}", references_.text(),
                  options_.lowercase ? "lc" : "mixed", options_.pronunciations ? "yes" : "no");
  const char* name = options_.kind == EditRateKind::kWer ? "WER" : "PER";
  if (of_words)
    return {name,
            error_percent(wrong_lines_, lines_),
            signature,
            fmt::format("(wrong = {} words = {})", wrong_lines_, lines_),
            {}};
  return {name,
          error_percent(edits_, reference_length_),
          signature,
          fmt::format("(edits = {} ref_len = {})", edits_, reference_length_),
          {}};
}

}  // namespace heed
