#include "heed/decode/text_classifier.h"

#include <algorithm>
#include <cmath>

#include "heed/data/batch.h"
#include "heed/decode/search.h"

namespace heed {

void ClassifyOptions::visit(ConfigVisitor& v) {
  v("batch_sentences", batch_sentences, "most texts classified at once", between(1, 65536));
  v("batch_tokens", batch_tokens, "most tokens classified at once", between(1, 1 << 24));
}

ReadText TextClassifier::read(const std::string& text) const {
  ReadText read{text_.source->encode(text)};
  read.cut = longest_ > 0 && static_cast<int64_t>(read.ids.size()) > longest_;
  if (read.cut) {
    read.ids.resize(static_cast<size_t>(longest_));
    read.ids.back() = kEndToken;
  }
  return read;
}

std::vector<ClassifiedText> TextClassifier::classify(Context& c, const std::vector<std::string>& texts,
                                                     const ClassifyOptions& options) const {
  std::vector<ClassifiedText> classified(texts.size());
  for (size_t begin = 0, end = 0; begin < texts.size(); begin = end) {
    std::vector<std::vector<int32_t>> batch;
    int64_t tokens = 0;
    for (; end < texts.size(); ++end) {
      ReadText text = read(texts[end]);
      const auto length = static_cast<int64_t>(text.ids.size());
      const bool full = static_cast<int64_t>(batch.size()) >= options.batch_sentences ||
                        tokens + length > options.batch_tokens;
      if (!batch.empty() && full) break;
      tokens += length;
      batch.push_back(std::move(text.ids));
      classified[end].cut = text.cut;
    }
    const Tensor log_probs = model_.log_probs(c, make_field(batch));  // [B, C]
    for (size_t i = begin; i < end; ++i) {
      const float* row = log_probs.row<float>(static_cast<int64_t>(i - begin));
      ClassifiedText& of_text = classified[i];
      for (int64_t k = 0; k < log_probs.width(); ++k) require_number(row[k]);
      of_text.best = static_cast<int32_t>(std::max_element(row, row + log_probs.width()) - row);
      of_text.label = text_.labels.name(of_text.best);
      for (int64_t k = 0; k < log_probs.width(); ++k) of_text.probabilities.push_back(std::exp(row[k]));
    }
    c.arena.reset();
  }
  return classified;
}

}  // namespace heed
