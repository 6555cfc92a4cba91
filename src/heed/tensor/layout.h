// How the rows of a ragged batch belong to sentences. Letters: B sentences, R rows (tokens in the batch).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace heed {

// Sentence i is rows offsets[i] .. offsets[i+1]. Immutable and shared; no padding exists anywhere.
class Layout {
 public:
  Layout() : Layout(std::vector<int32_t>{0}, {}) {}

  // offsets [B+1], ascending from 0. numbers [B]: each sentence's number in its corpus, on which its random
  // numbers depend (so that they depend on nothing else); 0, 1, 2, ... when empty.
  // Throws Error on offsets that do not ascend or numbers of another length.
  explicit Layout(std::vector<int32_t> offsets, std::vector<uint64_t> numbers = {});

  // Consecutive sentences of these lengths.
  static Layout of_lengths(std::span<const int32_t> lengths, std::vector<uint64_t> numbers = {});

  // Decoding: each sentence is one new row which stands at positions[i].
  static Layout of_steps(std::span<const int32_t> positions);

  // The rows at one position alone: a row of each sentence that is so long, none of the others. They keep
  // their positions and keys.
  Layout rows_at(int32_t position) const;

  // Each row a sentence of its own; they keep their positions and keys.
  Layout rows_alone() const;

  // One row for each sentence, empty ones too, with its number: what a sentence is summed up in.
  Layout one_row_each() const;

  int64_t sentences() const { return static_cast<int64_t>(data_->offsets.size()) - 1; }  // B
  int64_t rows() const { return data_->offsets.back(); }                                 // R
  int32_t begin(int64_t sentence) const { return data_->offsets[sentence]; }
  int32_t end(int64_t sentence) const { return data_->offsets[sentence + 1]; }
  int32_t length(int64_t sentence) const { return end(sentence) - begin(sentence); }
  int32_t longest() const { return data_->longest; }
  std::span<const int32_t> offsets() const { return data_->offsets; }
  std::span<const uint64_t> numbers() const { return data_->numbers; }

  // The highest position of a row, plus one: the longest sentence, unless the rows are steps.
  int32_t positions_end() const { return data_->positions_end; }
  // [R] the row's position in its sentence, from 0.
  std::span<const int32_t> positions() const { return data_->positions; }
  // [R] mixes the sentence's number and the position: the row's part of every random counter.
  std::span<const uint64_t> row_keys() const { return data_->row_keys; }

 private:
  struct Data {
    std::vector<int32_t> offsets;
    std::vector<uint64_t> numbers;
    std::vector<int32_t> positions;
    std::vector<uint64_t> row_keys;
    int32_t longest = 0;
    int32_t positions_end = 0;
  };
  std::shared_ptr<const Data> data_;
};

// Ids every vocabulary begins with.
inline constexpr int32_t kEndToken = 0;      // </s>
inline constexpr int32_t kUnknownToken = 1;  // <unk>
inline constexpr int32_t kBeginToken = 2;    // <s>

// One named column of a batch: token ids, one a row, and how the rows form sentences.
struct TokenField {
  std::vector<int32_t> ids;  // [R]
  Layout layout;
};

}  // namespace heed
