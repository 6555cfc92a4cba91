#include "heed/tensor/tensor.h"

#include <fmt/ranges.h>
#include <sys/mman.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>

namespace heed {
namespace {

class HeapStorage final : public Storage {
 public:
  explicit HeapStorage(int64_t bytes) : Storage(allocate(bytes)) {}
  ~HeapStorage() override { std::free(bytes()); }

 private:
  static std::byte* allocate(int64_t bytes) {
    // 64: a cache line and the widest vector.
    constexpr int64_t kLine = 64, kLargePage = int64_t{1} << 21;
    const bool large = bytes >= 2 * kLargePage;
    void* memory = nullptr;
    if (posix_memalign(&memory, static_cast<size_t>(large ? kLargePage : kLine),
                       static_cast<size_t>(bytes + kLine)) != 0) {
      throw std::bad_alloc();
    }
    // What comes and goes (packed weights, decoding's caches) costs a fault a page each time; where large
    // pages are not to be had, nothing is lost.
    if (large)
      static_cast<void>(madvise(memory, static_cast<size_t>(bytes / kLargePage * kLargePage), MADV_HUGEPAGE));
    return static_cast<std::byte*>(memory);
  }
};

}  // namespace

Shape::Shape(std::span<const int64_t> extents) : rank_(static_cast<int>(extents.size())) {
  require(extents.size() <= kMaxRank, "shape of rank {}; at most {} is supported", extents.size(), kMaxRank);
  for (int i = 0; i < rank_; ++i) {
    require(extents[i] >= 0, "shape with extent {}", extents[i]);
    extents_[i] = extents[i];
  }
}

int64_t Shape::rows() const {
  int64_t rows = 1;
  for (int i = 0; i + 1 < rank_; ++i) rows *= extents_[i];
  return rows;
}

std::string Shape::to_string() const {
  return fmt::format("[{}]", fmt::join(extents(), ", "));
}

void Storage::throw_stale() {
  fail("a step's tensor was used after its memory was taken back; keep() copies out what must live on");
}

Tensor Tensor::empty(Shape shape, DType dtype) {
  return Tensor(std::make_shared<HeapStorage>(shape.size() * size_of(dtype)), shape, dtype);
}

Tensor Tensor::zeros(Shape shape, DType dtype) {
  Tensor tensor = empty(shape, dtype);
  std::memset(tensor.storage_->bytes(), 0, static_cast<size_t>(shape.size() * size_of(dtype)));
  return tensor;
}

Tensor Tensor::of(Shape shape, std::span<const float> values) {
  require(static_cast<int64_t>(values.size()) == shape.size(), "{} values for a tensor of shape {}",
          values.size(), shape.to_string());
  Tensor tensor = empty(shape);
  std::copy(values.begin(), values.end(), tensor.data<float>());
  return tensor;
}

float Tensor::item() const {
  require(size() == 1, "one value was asked of a tensor of shape {}", shape_.to_string());
  return dtype_ == DType::bf16 ? static_cast<float>(*data<Bf16>()) : *data<float>();
}

Tensor Tensor::reshaped(Shape shape) const {
  require(is_dense() && shape.size() == size(), "cannot reshape {} to {}", shape_.to_string(),
          shape.to_string());
  Tensor view = *this;
  view.shape_ = shape;
  view.row_stride_ = shape.width();
  return view;
}

Tensor Tensor::columns(int64_t begin, int64_t end) const {
  require(0 <= begin && begin <= end && end <= width(), "columns {} to {} of a tensor of shape {}", begin,
          end, shape_.to_string());
  Tensor view = *this;
  view.shape_ = Shape{rows(), end - begin};
  view.offset_ += begin;
  return view;
}

Tensor Tensor::row_range(int64_t begin, int64_t end) const {
  require(0 <= begin && begin <= end && end <= rows(), "rows {} to {} of a tensor of shape {}", begin, end,
          shape_.to_string());
  Tensor view = *this;
  view.shape_ = Shape{end - begin, width()};
  view.offset_ += begin * row_stride_;
  return view;
}

Tensor Tensor::keep() const {
  Tensor copy = empty(shape_, dtype_);
  copy_rows(*this, 0, copy, 0, rows());
  return copy;
}

Tensor Tensor::keep_rows(std::span<const int32_t> rows) const {
  Tensor copy = empty({static_cast<int64_t>(rows.size()), width()}, dtype_);
  for (size_t i = 0; i < rows.size(); ++i) copy_rows(*this, rows[i], copy, static_cast<int64_t>(i), 1);
  return copy;
}

void copy_rows(const Tensor& from, int64_t from_row, const Tensor& to, int64_t to_row, int64_t rows) {
  require(from.dtype() == to.dtype() && from.width() == to.width(),
          "copy rows: {} of width {} into {} of width {}", name_of(from.dtype()), from.width(),
          name_of(to.dtype()), to.width());
  require(from_row >= 0 && to_row >= 0 && from_row + rows <= from.rows() && to_row + rows <= to.rows(),
          "copy rows: {} of them, from row {} of {} to row {} of {}", rows, from_row, from.rows(), to_row,
          to.rows());
  dispatch(from.dtype(), [&](auto zero) {
    using T = decltype(zero);
    for (int64_t r = 0; r < rows; ++r)
      std::memcpy(to.row<T>(to_row + r), from.row<T>(from_row + r),
                  static_cast<size_t>(from.width()) * sizeof(T));
  });
}

Tensor concat_rows(const Tensor& upper, const Tensor& lower) {
  Tensor both = Tensor::empty({upper.rows() + lower.rows(), upper.width()}, upper.dtype());
  copy_rows(upper, 0, both, 0, upper.rows());
  copy_rows(lower, 0, both, upper.rows(), lower.rows());
  return both;
}

}  // namespace heed
