#include "heed/decode/sampling.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <vector>

namespace heed {

int32_t sample_token(std::span<const float> log_probs, double temperature, int64_t top_k, double top_p,
                     double number) {
  std::vector<int32_t> order(log_probs.size());
  std::iota(order.begin(), order.end(), 0);
  const auto better = [&](int32_t a, int32_t b) {
    return log_probs[a] != log_probs[b] ? log_probs[a] > log_probs[b] : a < b;
  };
  if (top_k > 0 && top_k < static_cast<int64_t>(order.size())) {
    std::nth_element(order.begin(), order.begin() + top_k, order.end(), better);
    order.resize(static_cast<size_t>(top_k));
  }
  std::sort(order.begin(), order.end(), better);

  std::vector<double> weights(order.size());
  const double highest = log_probs[order.front()];
  double sum = 0.0;
  for (size_t i = 0; i < order.size(); ++i) {
    sum += weights[i] = std::exp((log_probs[order[i]] - highest) / temperature);
  }
  double nucleus = 0.0;
  size_t count = 0;
  while (count < weights.size() && (count == 0 || nucleus < top_p * sum)) nucleus += weights[count++];

  double rest = number * nucleus;
  for (size_t i = 0; i < count; ++i) {
    rest -= weights[i];
    if (rest < 0.0) return order[i];
  }
  return order[count - 1];
}

}  // namespace heed
