#include "heed/metrics/ter.h"

#include <algorithm>
#include <limits>
#include <utility>
#include <vector>

#include "heed/metrics/ngrams.h"
#include "heed/metrics/shift_search.h"

namespace heed {

void Ter::add(const std::string& hypothesis, std::span<const std::string> references) {
  require(!references.empty(), "TER needs a reference for each sentence");
  references_.add(static_cast<int64_t>(references.size()));
  WordNumbers numbers;
  std::vector<std::u32string> texts;  // what the words are views into
  texts.reserve(references.size() + 1);
  const auto tokenized = [&](const std::string& text) {
    return tercom_tokenized(metric_text(text, !options_.case_sensitive), options_);
  };
  const auto words = [&](std::u32string text) {
    return numbers.of(metric_words(texts.emplace_back(std::move(text))));
  };

  const auto hypothesis_words = words(tokenized(hypothesis));
  int64_t fewest = std::numeric_limits<int64_t>::max();
  size_t length = 0;
  for (const std::string& reference : references) {
    // sacreBLEU tokenises references, but not hypotheses, a second time: its digits need the same here.
    const auto reference_words = words(tercom_tokenized(tokenized(reference), options_));
    fewest = std::min(fewest, shifted_edits(hypothesis_words, reference_words));
    length += reference_words.size();
  }
  edits_ += fewest;
  reference_length_ += static_cast<double>(length) / static_cast<double>(references.size());
}

void Ter::merge(const Ter& other) {
  references_.merge(other.references_);
  edits_ += other.edits_;
  reference_length_ += other.reference_length_;
}

MetricScore Ter::score() const {
  const auto yes_no = [](bool yes) { return yes ? "yes" : "no"; };
  double rate = edits_ > 0 ? 1 : 0;  // where the references are empty
  if (reference_length_ > 0) rate = static_cast<double>(edits_) / reference_length_;
  return {"TER",
          100 * rate,
          fmt::format("nrefs:{}|case:{}|tok:tercom|norm:{}|punct:{}|asian:{}|version:{}", references_.text(),
                      options_.case_sensitive ? "mixed" : "lc", yes_no(options_.normalized),
                      yes_no(!options_.no_punctuation), yes_no(options_.asian), kSacrebleuVersion),
          "",
          {}};
}

}  // namespace heed
