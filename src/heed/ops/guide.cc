#include "heed/ops/guide.h"

#include <algorithm>
#include <numeric>

namespace heed {

Guide Guide::of_rows(std::span<const int32_t> rows) const {
  if (rows.empty()) return *this;
  std::vector<float> some;
  for (const int32_t row : rows) some.push_back(places->at(static_cast<size_t>(row)));
  return {width, head, std::make_shared<const std::vector<float>>(std::move(some))};
}

Guide guide_of(const Layout& queries, float width, int64_t head) {
  std::vector<float> places;
  for (int64_t b = 0; b < queries.sentences(); ++b) {
    const int32_t length = queries.length(b);
    for (int32_t t = 0; t < length; ++t) places.push_back(static_cast<float>(t) / static_cast<float>(length));
  }
  return {width, head, std::make_shared<const std::vector<float>>(std::move(places))};
}

Var add_sums(Context& c, const Var& loss, const std::vector<Var>& parts, float factor) {
  require(loss.value.size() == 1, "add_sums: a loss of shape {}", loss.shape().to_string());
  double sum = 0.0;
  for (const Var& part : parts) {
    require(part.value.is_dense(), "add_sums: the parts must be dense");
    const float* numbers = part.value.data<float>();
    sum = std::accumulate(numbers, numbers + part.value.size(), sum);
  }
  Var out(c.allocate(loss.shape(), DType::f32));
  *out.value.data<float>() = loss.value.item() + factor * static_cast<float>(sum);
  if (!c.recording()) return out;
  c.tape->record(out, [into = loss.gradient, parts, factor](Context& c, const Tensor& d_out) {
    if (into) into->add(c, d_out);
    for (const Var& part : parts) {
      if (!part.gradient) continue;
      const Tensor d_part = c.allocate(part.shape(), DType::f32);
      std::fill_n(d_part.data<float>(), d_part.size(), factor * d_out.item());
      part.gradient->add(c, d_part);
    }
  });
  return out;
}

}  // namespace heed
