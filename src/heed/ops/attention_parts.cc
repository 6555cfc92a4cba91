#include "heed/ops/attention_parts.h"

#include <algorithm>

#include "heed/base/error.h"

namespace heed {

AttentionPairs::AttentionPairs(const Layout& queries, const Layout& keys) {
  require(queries.sentences() == keys.sentences(), "attention: {} sentences query {}", queries.sentences(),
          keys.sentences());
  for (int64_t b = 0; b < queries.sentences(); ++b) add(queries.end(b), keys.begin(b), keys.end(b));
}

AttentionPairs::AttentionPairs(const AttentionSpans& spans) {
  require(spans.rows.empty() && spans.offsets.size() == spans.first.size() + 1,
          "attention: {} beginnings of consecutive rows with {} offsets", spans.first.size(),
          spans.offsets.size());
  for (size_t r = 0; r < spans.first.size(); ++r) {
    const int32_t keys = spans.offsets[r + 1] - spans.offsets[r];
    add(static_cast<int32_t>(r) + 1, spans.first[r], spans.first[r] + keys);
  }
}

void AttentionPairs::add(int32_t query_end, int32_t first_key, int32_t last_key) {
  const int64_t queries = query_end - query_offsets.back(), keys = last_key - first_key;
  query_offsets.push_back(query_end);
  key_begin.push_back(first_key);
  key_end.push_back(last_key);
  weight_begin.push_back(weight_begin.back() + queries * keys);
}

std::vector<Tensor> AttentionPairs::cut_into_sentences(const Tensor& weights) const {
  std::vector<Tensor> cut;
  for (size_t b = 0; b < key_begin.size(); ++b) {
    const Shape shape{1, query_offsets[b + 1] - query_offsets[b], key_end[b] - key_begin[b]};
    const Tensor& sentence = cut.emplace_back(Tensor::empty(shape));
    std::copy_n(weights.data<float>() + weight_begin[b], sentence.size(), sentence.data<float>());
  }
  return cut;
}

void add_row_sums(const Parameter& parameter, Context& c, const Tensor& rows) {
  const Tensor sum = c.zeros(parameter.shape(), DType::f32);
  float* total = sum.data<float>();
  for (int64_t r = 0; r < rows.rows(); ++r)
    for (int64_t i = 0; i < sum.size(); ++i) total[i] += rows.row<float>(r)[i];
  parameter.gradient().add(c, sum);
}

}  // namespace heed
