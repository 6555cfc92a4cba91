#include "heed/decode/text_classifier.h"

#include <algorithm>
#include <cmath>

#include "heed/data/batch.h"

namespace heed {

void ClassifyOptions::visit(ConfigVisitor& v) {
  v("batch_sentences", batch_sentences, "most texts classified at once", between(1, 65536));
  v("batch_tokens", batch_tokens, "most tokens classified at once", between(1, 1 << 24));
}

std::vector<int32_t> TextClassifier::read(const std::string& text) const {
  std::vector<int32_t> ids = text_.source->encode(text);
  if (longest_ > 0 && static_cast<int64_t>(ids.size()) > longest_) {
    ids.resize(static_cast<size_t>(longest_));
    ids.back() = kEndToken;
  }
  return ids;
}

std::vector<ClassifiedText> TextClassifier::classify(Context& c, const std::vector<std::string>& texts,
                                                     const ClassifyOptions& options) const {
  std::vector<ClassifiedText> classified(texts.size());
  for (size_t begin = 0, end = 0; begin < texts.size(); begin = end) {
    std::vector<std::vector<int32_t>> batch;
    int64_t tokens = 0;
    for (; end < texts.size(); ++end) {
      std::vector<int32_t> ids = read(texts[end]);
      const bool full = static_cast<int64_t>(batch.size()) >= options.batch_sentences ||
                        tokens + static_cast<int64_t>(ids.size()) > options.batch_tokens;
      if (!batch.empty() && full) break;
      tokens += static_cast<int64_t>(ids.size());
      batch.push_back(std::move(ids));
    }
    const Tensor log_probs = model_.log_probs(c, make_field(batch));  // [B, C]
    for (size_t i = begin; i < end; ++i) {
      const float* row = log_probs.row<float>(static_cast<int64_t>(i - begin));
      ClassifiedText& of_text = classified[i];
      of_text.best = static_cast<int32_t>(std::max_element(row, row + log_probs.width()) - row);
      of_text.label = text_.labels.name(of_text.best);
      for (int64_t k = 0; k < log_probs.width(); ++k) of_text.probabilities.push_back(std::exp(row[k]));
    }
    c.arena.reset();
  }
  return classified;
}

}  // namespace heed
