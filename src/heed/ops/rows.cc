#include "heed/ops/rows.h"

#include <algorithm>
#include <cmath>
#include <memory>

namespace heed {
namespace {

bool asks_for_gradient(const Context& c, const std::vector<Var>& parts) {
  return c.recording() && std::any_of(parts.begin(), parts.end(), [](const Var& v) { return v.gradient; });
}

// to = from, row by row, converting where the types differ.
void copy_columns(const Tensor& from, const Tensor& to) {
  dispatch(from.dtype(), [&](auto from_zero) {
    using From = decltype(from_zero);
    dispatch(to.dtype(), [&](auto to_zero) {
      using To = decltype(to_zero);
      for (int64_t r = 0; r < from.rows(); ++r) {
        std::transform(from.row<From>(r), from.row<From>(r) + from.width(), to.row<To>(r), [](From value) {
          if constexpr (std::is_same_v<From, To>)
            return value;
          else
            return static_cast<To>(static_cast<float>(value));
        });
      }
    });
  });
}

// Where a row of the stack stands.
struct Place {
  int32_t part, row;
};

}  // namespace

Var concat_columns(Context& c, const std::vector<Var>& parts) {
  require(!parts.empty(), "concat_columns: nothing to put side by side");
  int64_t width = 0;
  for (const Var& part : parts) {
    require(part.rows() == parts.front().rows(), "concat_columns: {} rows beside {}", part.rows(),
            parts.front().rows());
    width += part.width();
  }
  Var out(c.allocate(Shape{parts.front().rows(), width}));
  int64_t column = 0;
  for (const Var& part : parts) {
    copy_columns(part.value, out.value.columns(column, column + part.width()));
    column += part.width();
  }
  if (asks_for_gradient(c, parts)) {
    c.tape->record(out, [parts](Context& c, const Tensor& d_out) {
      int64_t column = 0;
      for (const Var& part : parts) {
        if (part.gradient) {
          const Tensor d_part = c.allocate(part.shape(), part.value.dtype());
          copy_columns(d_out.columns(column, column + part.width()), d_part);
          part.gradient->add(c, d_part);
        }
        column += part.width();
      }
    });
  }
  return out;
}

Var gather_rows(Context& c, const std::vector<Var>& parts, std::span<const int32_t> rows) {
  require(!parts.empty(), "gather_rows: nothing to gather from");
  const int64_t width = parts.front().width();
  const DType dtype = parts.front().value.dtype();
  std::vector<Place> stack;
  for (size_t p = 0; p < parts.size(); ++p) {
    require(parts[p].width() == width && parts[p].value.dtype() == dtype,
            "gather_rows: {} of {} on rows of width {}", parts[p].shape().to_string(),
            name_of(parts[p].value.dtype()), width);
    for (int64_t r = 0; r < parts[p].rows(); ++r)
      stack.push_back({static_cast<int32_t>(p), static_cast<int32_t>(r)});
  }
  auto places = std::make_shared<std::vector<Place>>();
  for (const int32_t row : rows) {
    require(row >= 0 && row < static_cast<int32_t>(stack.size()), "gather_rows: row {} of {}", row,
            stack.size());
    places->push_back(stack[static_cast<size_t>(row)]);
  }

  Var out(c.allocate(Shape{static_cast<int64_t>(rows.size()), width}, dtype));
  dispatch(dtype, [&](auto zero) {
    using T = decltype(zero);
    for (size_t i = 0; i < places->size(); ++i) {
      const auto [part, row] = (*places)[i];
      std::copy_n(parts[static_cast<size_t>(part)].value.row<T>(row), width,
                  out.value.row<T>(static_cast<int64_t>(i)));
    }
  });
  if (asks_for_gradient(c, parts)) {
    c.tape->record(out, [parts, places](Context& c, const Tensor& d_out) {
      dispatch(d_out.dtype(), [&](auto zero) {
        using T = decltype(zero);
        std::vector<Tensor> d_parts;
        for (const Var& part : parts) {
          d_parts.push_back(c.zeros(part.shape(), d_out.dtype()));
        }
        for (size_t i = 0; i < places->size(); ++i) {
          const auto [part, row] = (*places)[i];
          const T* from = d_out.row<T>(static_cast<int64_t>(i));
          T* to = d_parts[static_cast<size_t>(part)].template row<T>(row);
          for (int64_t j = 0; j < d_out.width(); ++j)
            to[j] = T(static_cast<float>(to[j]) + static_cast<float>(from[j]));
        }
        for (size_t p = 0; p < parts.size(); ++p)
          if (parts[p].gradient) parts[p].gradient->add(c, d_parts[p]);
      });
    });
  }
  return out;
}

std::vector<Var> split_rows(Context& c, const Var& x, const std::vector<std::vector<int32_t>>& groups) {
  std::vector<bool> taken(static_cast<size_t>(x.rows()));
  int64_t rows = 0;
  std::vector<Var> parts;
  dispatch(x.value.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for (const std::vector<int32_t>& group : groups) {
      const Tensor part = c.allocate(Shape{static_cast<int64_t>(group.size()), x.width()}, x.value.dtype());
      T* to = part.data<T>();
      for (const int32_t row : group) {
        require(row >= 0 && row < x.rows() && !taken[static_cast<size_t>(row)],
                "split_rows: row {} of {} does not exist or is taken twice", row, x.rows());
        taken[static_cast<size_t>(row)] = true;
        to = std::copy_n(x.value.row<T>(row), x.width(), to);
        ++rows;
      }
      parts.emplace_back(part);
    }
  });
  require(rows == x.rows(), "split_rows: {} of {} rows are in a group", rows, x.rows());
  if (!c.recording() || !x.gradient) return parts;

  std::vector<Var*> outputs;
  for (Var& part : parts) outputs.push_back(&part);
  auto gradients = std::make_shared<std::vector<std::shared_ptr<Gradient>>>();
  c.tape->record(outputs, [x, groups, gradients](Context& c) {
    const Tensor dx = c.zeros(x.shape(), x.value.dtype());
    bool any = false;
    for (size_t p = 0; p < groups.size(); ++p) {
      const Tensor d_part = (*gradients)[p]->take(c);
      if (!d_part) continue;
      any = true;
      dispatch(dx.dtype(), [&](auto zero) {
        using T = decltype(zero);
        for (size_t i = 0; i < groups[p].size(); ++i)
          std::copy_n(d_part.row<T>(static_cast<int64_t>(i)), x.width(), dx.row<T>(groups[p][i]));
      });
    }
    if (any) x.gradient->add(c, dx);
  });
  for (const Var& part : parts) gradients->push_back(part.gradient);
  return parts;
}

Var mean_rows(Context& c, const Var& x, const Layout& layout) {
  require(x.rows() == layout.rows(), "mean_rows: {} rows with a layout of {}", x.rows(), layout.rows());
  const int64_t width = x.width();
  Var out(c.allocate(Shape{layout.sentences(), width}, x.value.dtype()));
  dispatch(x.value.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* from = x.value.data<T>();
    T* to = out.value.data<T>();
    c.pool.run(layout.sentences(), [&, stride = x.value.row_stride()](int64_t b) {
      std::vector<float> sum(static_cast<size_t>(width));
      for (int64_t r = layout.begin(b); r < layout.end(b); ++r)
        for (int64_t j = 0; j < width; ++j) sum[j] += static_cast<float>(from[r * stride + j]);
      const auto length = static_cast<float>(std::max(1, layout.length(b)));
      for (int64_t j = 0; j < width; ++j) to[b * width + j] = T(sum[j] / length);
    });
  });
  if (c.recording() && x.gradient) {
    c.tape->record(out, [x, layout, width](Context& c, const Tensor& d_out) {
      const Tensor dx = c.allocate(x.shape(), d_out.dtype());
      dispatch(d_out.dtype(), [&](auto zero) {
        using T = decltype(zero);
        const T* from = d_out.data<T>();
        T* to = dx.data<T>();
        c.pool.run(layout.sentences(), [&, stride = d_out.row_stride()](int64_t b) {
          const auto length = static_cast<float>(layout.length(b));
          for (int64_t r = layout.begin(b); r < layout.end(b); ++r)
            for (int64_t j = 0; j < width; ++j)
              to[r * width + j] = T(static_cast<float>(from[b * stride + j]) / length);
        });
      });
      x.gradient->add(c, dx);
    });
  }
  return out;
}

Var max_rows(Context& c, const Var& x, const Layout& layout) {
  require(x.rows() == layout.rows(), "max_rows: {} rows with a layout of {}", x.rows(), layout.rows());
  const int64_t width = x.width();
  Var out(c.allocate(Shape{layout.sentences(), width}, x.value.dtype()));
  // The row that each column's value comes from; -1 in an empty sentence.
  auto largest = std::make_shared<std::vector<int32_t>>(static_cast<size_t>(out.value.size()));
  dispatch(x.value.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const T* from = x.value.data<T>();
    T* to = out.value.data<T>();
    c.pool.run(layout.sentences(), [&, stride = x.value.row_stride()](int64_t b) {
      const int32_t first = layout.begin(b);
      const bool empty = layout.length(b) == 0;
      std::vector<float> best(static_cast<size_t>(width));
      int32_t* row_of = largest->data() + b * width;
      std::fill_n(row_of, width, empty ? -1 : first);
      for (int64_t j = 0; j < width && !empty; ++j) best[j] = static_cast<float>(from[first * stride + j]);
      for (int32_t r = first + 1; r < layout.end(b); ++r) {
        for (int64_t j = 0; j < width; ++j) {
          const auto value = static_cast<float>(from[r * stride + j]);
          const bool taken = value > best[j] || std::isnan(value);  // nothing is larger than NaN
          row_of[j] = taken ? r : row_of[j];
          best[j] = taken ? value : best[j];
        }
      }
      for (int64_t j = 0; j < width; ++j) to[b * width + j] = T(best[j]);
    });
  });
  if (c.recording() && x.gradient) {
    c.tape->record(out, [x, layout, width, largest](Context& c, const Tensor& d_out) {
      const Tensor dx = c.allocate(x.shape(), d_out.dtype());
      dispatch(d_out.dtype(), [&](auto zero) {
        using T = decltype(zero);
        const T* from = d_out.data<T>();
        T* to = dx.data<T>();
        c.pool.run(layout.sentences(), [&, stride = d_out.row_stride()](int64_t b) {
          std::fill(to + layout.begin(b) * width, to + layout.end(b) * width, zero);
          const int32_t* row_of = largest->data() + b * width;
          for (int64_t j = 0; j < width; ++j)
            if (row_of[j] >= 0) to[row_of[j] * width + j] = from[b * stride + j];
        });
      });
      x.gradient->add(c, dx);
    });
  }
  return out;
}

}  // namespace heed
