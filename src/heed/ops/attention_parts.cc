#include "heed/ops/attention_parts.h"

#include <algorithm>

namespace heed {

std::vector<Tensor> cut_into_sentences(const Tensor& weights, std::span<const int64_t> begin,
                                       const Layout& query_layout, const Layout& key_layout) {
  std::vector<Tensor> sentences;
  for (int64_t b = 0; b < query_layout.sentences(); ++b) {
    Tensor sentence = Tensor::empty({1, query_layout.length(b), key_layout.length(b)});
    std::copy_n(weights.data<float>() + begin[static_cast<size_t>(b)], sentence.size(),
                sentence.data<float>());
    sentences.push_back(sentence);
  }
  return sentences;
}

void sum_rows_into(const Tensor& rows, const Tensor& sum) {
  float* total = sum.data<float>();
  std::fill_n(total, sum.size(), 0.0f);
  for (int64_t r = 0; r < rows.rows(); ++r)
    for (int64_t i = 0; i < sum.size(); ++i) total[i] += rows.row<float>(r)[i];
}

}  // namespace heed
