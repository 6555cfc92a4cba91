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
  std::vector<std::vector<int32_t>> ids;
  for (size_t i = 0; i < texts.size(); ++i) {
    ReadText text = read(texts[i]);
    ids.push_back(std::move(text.ids));
    classified[i].cut = text.cut;
  }
  for (size_t begin = 0, end = 0; begin < texts.size(); begin = end) {
    end = end_of_batch(ids, begin, options.batch_sentences, options.batch_tokens);
    const TokenField batch = make_field(std::span(ids).subspan(begin, end - begin));
    const Tensor log_probs = model_.log_probs(c, batch);  // [B, C]
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
