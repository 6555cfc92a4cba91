// Moving rows and columns. Letters: B sentences, R rows. Every op here throws Error on shapes, types,
// layouts and row numbers that do not fit together.
#pragma once

#include <span>
#include <vector>

#include "heed/autograd/tape.h"
#include "heed/tensor/layout.h"

namespace heed {

// Side by side: parts [R, D_i] -> [R, sum of D_i], in the context's precision whatever the parts have.
Var concat_columns(Context& c, const std::vector<Var>& parts);

// Rows of `parts` stacked on each other, all of one width and type: row i of the result is row rows[i] of the
// stack. A row may be named several times or never.
Var gather_rows(Context& c, const std::vector<Var>& parts, std::span<const int32_t> rows);

// x [R, D] taken apart: of each group its rows [N_i, D]. Every row is in exactly one group. One gradient for
// all, where a gather_rows for each group would clear and add as much as x every time.
std::vector<Var> split_rows(Context& c, const Var& x, const std::vector<std::vector<int32_t>>& groups);

// The mean of each sentence's rows: x [R, D] -> [B, D]; zeros for an empty sentence.
Var mean_rows(Context& c, const Var& x, const Layout& layout);

// The largest of each sentence's rows, column by column: x [R, D] -> [B, D]; zeros for an empty sentence. The
// gradient goes to the first row that is as large.
Var max_rows(Context& c, const Var& x, const Layout& layout);

}  // namespace heed
