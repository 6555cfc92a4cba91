#include "heed/metrics/bleu.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "heed/metrics/ngrams.h"

namespace heed {
namespace {

constexpr double kLogOfZero = -9999999999.0;

double smooth_value(const BleuOptions& options) {
  if (options.smooth_value >= 0) return options.smooth_value;
  return options.smoothing == BleuSmoothing::kFloor ? 0.1 : 1.0;
}

std::string smoothing_text(const BleuOptions& options) {
  switch (options.smoothing) {
    case BleuSmoothing::kExp:
      return "exp";
    case BleuSmoothing::kFloor:
      return fmt::format("floor[{:.2f}]", smooth_value(options));
    case BleuSmoothing::kAddK:
      return fmt::format("add-k[{:.2f}]", smooth_value(options));
    case BleuSmoothing::kNone:
      break;
  }
  return "none";
}

}  // namespace

void Bleu::add(const std::string& hypothesis, std::span<const std::string> references) {
  require(!references.empty(), "BLEU needs a reference for each sentence");
  references_.add(static_cast<int64_t>(references.size()));
  NgramTable table;
  WordNumbers words;
  std::vector<std::u32string> texts;  // what the words are views into
  texts.reserve(references.size() + 1);
  const auto numbers = [&](const std::string& text) {
    texts.push_back(metric_tokenized(metric_text(text, options_.lowercase), options_.tokenizer));
    return words.of(metric_words(texts.back()));
  };

  const auto symbols = numbers(hypothesis);
  const auto found = table.count(symbols, kOrder);
  const auto length = static_cast<int64_t>(symbols.size());
  std::vector<uint32_t> allowed(found.size());
  std::pair<int64_t, int64_t> closest = {-1, -1};  // (difference, length): of equally near ones the shorter
  for (const std::string& reference : references) {
    const auto reference_symbols = numbers(reference);
    const auto counts = table.count(reference_symbols, kOrder);
    for (size_t i = 0; i < found.size(); ++i) allowed[i] = std::max(allowed[i], counts[i]);
    const auto reference_length = static_cast<int64_t>(reference_symbols.size());
    const std::pair<int64_t, int64_t> candidate = {std::abs(length - reference_length), reference_length};
    if (closest.first < 0 || candidate < closest) closest = candidate;
  }
  hypothesis_length_ += length;
  reference_length_ += closest.second;
  for (size_t i = 0; i < found.size(); ++i) {
    total_[table.order(i) - 1] += found[i];
    correct_[table.order(i) - 1] += std::min(found[i], allowed[i]);
  }
}

void Bleu::merge(const Bleu& other) {
  references_.merge(other.references_);
  hypothesis_length_ += other.hypothesis_length_;
  reference_length_ += other.reference_length_;
  for (int n = 0; n < kOrder; ++n) {
    correct_[n] += other.correct_[n];
    total_[n] += other.total_[n];
  }
}

MetricScore Bleu::score() const {
  const auto hypothesis_length = static_cast<double>(hypothesis_length_);
  const auto reference_length = static_cast<double>(reference_length_);
  double brevity = 1;
  if (hypothesis_length_ < reference_length_)
    brevity = hypothesis_length_ > 0 ? std::exp(1 - reference_length / hypothesis_length) : 0;

  std::array<double, kOrder> precisions = {};
  double bleu = 0;
  if (std::any_of(correct_.begin(), correct_.end(), [](int64_t count) { return count > 0; })) {
    int order = kOrder;
    double halving = 1;
    for (int n = 0; n < kOrder; ++n) {
      const double k = options_.smoothing == BleuSmoothing::kAddK && n > 0 ? smooth_value(options_) : 0;
      const double correct = static_cast<double>(correct_[n]) + k;
      const double total = static_cast<double>(total_[n]) + k;
      if (total == 0) break;
      if (options_.effective_order) order = n + 1;
      if (correct > 0)
        precisions[n] = 100 * correct / total;
      else if (options_.smoothing == BleuSmoothing::kExp)
        precisions[n] = 100 / ((halving *= 2) * total);
      else if (options_.smoothing == BleuSmoothing::kFloor)
        precisions[n] = 100 * smooth_value(options_) / total;
    }
    double sum = 0;
    for (int n = 0; n < order; ++n) sum += precisions[n] == 0 ? kLogOfZero : std::log(precisions[n]);
    bleu = brevity * std::exp(sum / order);
  }
  return {"BLEU",
          bleu,
          fmt::format("nrefs:{}|case:{}|eff:{}|tok:{}|smooth:{}|version:{}", references_.text(),
                      options_.lowercase ? "lc" : "mixed", options_.effective_order ? "yes" : "no",
                      name_of(options_.tokenizer), smoothing_text(options_), kSacrebleuVersion),
          fmt::format("{:.1f}/{:.1f}/{:.1f}/{:.1f} (BP = {:.3f} ratio = {:.3f} hyp_len = {} ref_len = {})",
                      precisions[0], precisions[1], precisions[2], precisions[3], brevity,
                      reference_length_ > 0 ? hypothesis_length / reference_length : 0, hypothesis_length_,
                      reference_length_),
          {}};
}

}  // namespace heed
