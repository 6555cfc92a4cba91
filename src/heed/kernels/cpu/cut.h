// How matmul is cut. Every element is computed whole by one piece, so this is a matter of speed alone.
#pragma once

#include <algorithm>
#include <cstdint>

namespace heed::kernels::cpu {

inline int64_t divide_up(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}

// A block of rows and what it makes of them fit L2, there are pieces for some eight threads, and none is so
// small that handing it over costs more than its work.
struct Cut {
  // most_rows, most_columns: of a piece; row_grain: what all but the last piece are a multiple of.
  Cut(int64_t rows, int64_t inner, int64_t columns, int64_t most_rows, int64_t row_grain,
      int64_t most_columns = 512) {
    constexpr int64_t kEnoughPieces = 16, kSmallestWork = 1 << 15;
    block_rows = std::max<int64_t>(1, divide_up(rows, std::max<int64_t>(1, divide_up(rows, most_rows))));
    block_rows = divide_up(block_rows, row_grain) * row_grain;
    row_pieces = divide_up(rows, block_rows);
    int64_t width = most_columns;
    if (row_pieces < kEnoughPieces) {
      const int64_t wanted = columns * row_pieces / kEnoughPieces;
      const int64_t least = kSmallestWork / std::max<int64_t>(1, block_rows * inner);
      width = std::min(width, std::max(wanted, least));
    }
    block_columns = divide_up(std::max<int64_t>(width, 1), 64) * 64;
    column_pieces = divide_up(columns, block_columns);
  }
  int64_t block_rows, block_columns, row_pieces, column_pieces;
};

}  // namespace heed::kernels::cpu
