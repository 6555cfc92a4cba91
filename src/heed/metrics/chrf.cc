#include "heed/metrics/chrf.h"

#include <algorithm>

#include "heed/metrics/metric_text.h"
#include "heed/metrics/ngrams.h"

namespace heed {
namespace {

bool is_ascii_punctuation(char32_t c) {
  return (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || (c >= '{' && c <= '~');
}

// Words with one mark of punctuation cut off: the last if there is one, else the first.
std::vector<std::u32string_view> cut_words(std::u32string_view text) {
  std::vector<std::u32string_view> cut;
  for (std::u32string_view word : metric_words(text)) {
    size_t at = 0;
    if (word.size() > 1 && is_ascii_punctuation(word.back()))
      at = word.size() - 1;
    else if (word.size() > 1 && is_ascii_punctuation(word.front()))
      at = 1;
    if (at > 0) cut.push_back(word.substr(0, at));
    cut.push_back(word.substr(at));
  }
  return cut;
}

std::vector<uint32_t> characters(std::u32string_view text, bool whitespace) {
  if (whitespace) return {text.begin(), text.end()};
  std::vector<uint32_t> out;
  for (std::u32string_view word : metric_words(text)) out.insert(out.end(), word.begin(), word.end());
  return out;
}

void count_matches(const NgramTable& table, const std::vector<uint32_t>& hypothesis,
                   const std::vector<uint32_t>& reference, std::span<Chrf::OrderCounts> orders) {
  for (size_t i = 0; i < reference.size(); ++i) {
    Chrf::OrderCounts& order = orders[table.order(i) - 1];
    const uint32_t found = i < hypothesis.size() ? hypothesis[i] : 0;
    order.hypothesis += found;
    order.reference += reference[i];
    order.matches += std::min(found, reference[i]);
  }
  for (Chrf::OrderCounts& order : orders) {
    if (order.reference == 0)  // too short a reference says nothing about this order
      order.hypothesis = 0;
  }
}

}  // namespace

Chrf::Chrf(ChrfOptions options) : options_(options), orders_(options.char_order + options.word_order) {}

void Chrf::add(const std::string& hypothesis, std::span<const std::string> references) {
  require(!references.empty(), "chrF needs a reference for each sentence");
  references_.add(static_cast<int64_t>(references.size()));
  NgramTable char_table, word_table;
  WordNumbers words;
  const std::u32string text = metric_text(hypothesis, options_.lowercase);
  const auto chars_found = char_table.count(characters(text, options_.whitespace), options_.char_order);
  const auto words_found = word_table.count(words.of(cut_words(text)), options_.word_order);

  std::vector<std::u32string> texts;  // what the words are views into
  texts.reserve(references.size());
  std::vector<OrderCounts> best;
  double best_score = -1;
  for (const std::string& line : references) {
    const std::u32string& reference = texts.emplace_back(metric_text(line, options_.lowercase));
    std::vector<OrderCounts> orders(orders_.size());
    const std::span all(orders);
    count_matches(char_table, chars_found,
                  char_table.count(characters(reference, options_.whitespace), options_.char_order),
                  all.first(options_.char_order));
    count_matches(word_table, words_found,
                  word_table.count(words.of(cut_words(reference)), options_.word_order),
                  all.subspan(options_.char_order));
    if (const double score = f_score(orders); score > best_score) {
      best_score = score;
      best = orders;
    }
  }
  for (size_t n = 0; n < orders_.size(); ++n) {
    orders_[n].hypothesis += best[n].hypothesis;
    orders_[n].reference += best[n].reference;
    orders_[n].matches += best[n].matches;
  }
}

void Chrf::merge(const Chrf& other) {
  require(orders_.size() == other.orders_.size(), "chrF of {} orders cannot be merged with {}",
          orders_.size(), other.orders_.size());
  references_.merge(other.references_);
  for (size_t n = 0; n < orders_.size(); ++n) {
    orders_[n].hypothesis += other.orders_[n].hypothesis;
    orders_[n].reference += other.orders_[n].reference;
    orders_[n].matches += other.orders_[n].matches;
  }
}

// F of the mean precision and the mean recall over the orders that both sides have.
double Chrf::f_score(const std::vector<OrderCounts>& orders) const {
  double precision = 0, recall = 0;
  int count = 0;
  for (const OrderCounts& order : orders) {
    if (order.hypothesis == 0 || order.reference == 0) continue;
    precision += static_cast<double>(order.matches) / static_cast<double>(order.hypothesis);
    recall += static_cast<double>(order.matches) / static_cast<double>(order.reference);
    ++count;
  }
  if (precision + recall == 0) return 0;
  precision /= count;
  recall /= count;
  const double factor = options_.beta * options_.beta;
  return 100 * ((1 + factor) * precision * recall / (factor * precision + recall));
}

MetricScore Chrf::score() const {
  return {fmt::format("chrF{}{}", options_.beta, std::string(options_.word_order, '+')),
          f_score(orders_),
          fmt::format("nrefs:{}|case:{}|eff:yes|nc:{}|nw:{}|space:{}|version:{}", references_.text(),
                      options_.lowercase ? "lc" : "mixed", options_.char_order, options_.word_order,
                      options_.whitespace ? "yes" : "no", kSacrebleuVersion),
          "",
          {}};
}

}  // namespace heed
