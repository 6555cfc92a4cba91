// Token fields out of lists of sentences.
#pragma once

#include <cstdint>
#include <vector>

#include "heed/base/random.h"
#include "heed/data/batch.h"
#include "heed/tensor/layout.h"

namespace heed::test {

using Sentences = std::vector<std::vector<int32_t>>;

inline TokenField tokens(const Sentences& sentences) {
  TokenField field;
  std::vector<int32_t> lengths;
  for (const std::vector<int32_t>& sentence : sentences) {
    field.ids.insert(field.ids.end(), sentence.begin(), sentence.end());
    lengths.push_back(static_cast<int32_t>(sentence.size()));
  }
  field.layout = Layout::of_lengths(lengths);
  return field;
}

// A batch of pairs for translation: each sentence with itself.
inline Batch pairs_with_themselves(const Sentences& sentences) {
  Corpus corpus;
  corpus.columns = {{"source"}, {"target"}};
  std::vector<uint32_t> all;
  for (const std::vector<int32_t>& sentence : sentences) {
    for (Column& column : corpus.columns) column.add(sentence);
    all.push_back(static_cast<uint32_t>(corpus.numbers.size()));
    corpus.numbers.push_back(corpus.numbers.size() + 1);
  }
  return make_batch(corpus, all);
}

// Sentences of these lengths, </s> included, of words from 3 on.
inline Sentences random_sentences(const std::vector<int32_t>& lengths, int32_t words, uint64_t seed) {
  Sentences sentences;
  uint64_t drawn = 0;
  for (const int32_t length : lengths) {
    std::vector<int32_t>& sentence = sentences.emplace_back();
    for (int32_t i = 1; i < length; ++i) {
      sentence.push_back(
          3 + static_cast<int32_t>(uniform_below(seed, drawn++, static_cast<uint64_t>(words - 3))));
    }
    sentence.push_back(kEndToken);
  }
  return sentences;
}

}  // namespace heed::test
