#include "heed/tensor/layout.h"

#include <algorithm>
#include <numeric>

#include "heed/base/error.h"
#include "heed/base/random.h"

namespace heed {

Layout::Layout(std::vector<int32_t> offsets, std::vector<uint64_t> numbers) {
  require(!offsets.empty() && offsets.front() == 0, "layout: offsets must start with 0");
  const size_t sentences = offsets.size() - 1;
  if (numbers.empty()) {
    numbers.resize(sentences);
    std::iota(numbers.begin(), numbers.end(), uint64_t{0});
  }
  require(numbers.size() == sentences, "layout: {} sentence numbers for {} sentences", numbers.size(),
          sentences);

  for (size_t i = 0; i < sentences; ++i)
    require(offsets[i] <= offsets[i + 1], "layout: sentence {} begins at row {} and ends at row {}", i,
            offsets[i], offsets[i + 1]);

  auto data = std::make_shared<Data>();
  data->positions.reserve(static_cast<size_t>(offsets.back()));
  data->row_keys.reserve(static_cast<size_t>(offsets.back()));
  for (size_t i = 0; i < sentences; ++i) {
    const int32_t length = offsets[i + 1] - offsets[i];
    data->longest = std::max(data->longest, length);
    const uint64_t sentence_key = mix64(numbers[i]);
    for (int32_t position = 0; position < length; ++position) {
      data->positions.push_back(position);
      data->row_keys.push_back(mix64(sentence_key, static_cast<uint64_t>(position)));
    }
  }
  data->positions_end = data->longest;
  data->offsets = std::move(offsets);
  data->numbers = std::move(numbers);
  data_ = std::move(data);
}

Layout Layout::of_lengths(std::span<const int32_t> lengths, std::vector<uint64_t> numbers) {
  std::vector<int32_t> offsets(lengths.size() + 1, 0);
  std::partial_sum(lengths.begin(), lengths.end(), offsets.begin() + 1);
  return Layout(std::move(offsets), std::move(numbers));
}

Layout Layout::of_steps(std::span<const int32_t> positions) {
  const std::vector<int32_t> ones(positions.size(), 1);
  const Layout single = of_lengths(ones);
  auto data = std::make_shared<Data>(*single.data_);
  data->positions.assign(positions.begin(), positions.end());
  data->positions_end = positions.empty() ? 0 : *std::max_element(positions.begin(), positions.end()) + 1;
  Layout layout;
  layout.data_ = std::move(data);
  return layout;
}

Layout Layout::rows_at(int32_t position) const {
  auto data = std::make_shared<Data>();
  data->offsets.push_back(0);
  data->numbers = data_->numbers;
  for (int64_t i = 0; i < sentences(); ++i) {
    if (position < length(i)) {
      data->positions.push_back(positions()[begin(i) + position]);
      data->row_keys.push_back(row_keys()[begin(i) + position]);
      data->longest = 1;
      data->positions_end = std::max(data->positions_end, data->positions.back() + 1);
    }
    data->offsets.push_back(static_cast<int32_t>(data->positions.size()));
  }
  Layout layout;
  layout.data_ = std::move(data);
  return layout;
}

Layout Layout::rows_alone() const {
  auto data = std::make_shared<Data>(*data_);
  data->offsets.resize(static_cast<size_t>(rows()) + 1);
  std::iota(data->offsets.begin(), data->offsets.end(), 0);
  data->numbers.clear();
  for (int64_t i = 0; i < sentences(); ++i)
    data->numbers.insert(data->numbers.end(), static_cast<size_t>(length(i)), numbers()[i]);
  data->longest = rows() > 0 ? 1 : 0;
  Layout layout;
  layout.data_ = std::move(data);
  return layout;
}

Layout Layout::one_row_each() const {
  return of_lengths(std::vector<int32_t>(numbers().size(), 1), {numbers().begin(), numbers().end()});
}

}  // namespace heed
