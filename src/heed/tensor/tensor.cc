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

template <class T>
void copy_rows(const Tensor& from, T* to) {
  for (int64_t r = 0; r < from.rows(); ++r) to = std::copy_n(from.row<T>(r), from.width(), to);
}

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
  if (dtype_ == DType::f32) copy_rows<float>(*this, copy.data<float>());
  if (dtype_ == DType::bf16) copy_rows<Bf16>(*this, copy.data<Bf16>());
  if (dtype_ == DType::i32) copy_rows<int32_t>(*this, copy.data<int32_t>());
  return copy;
}

}  // namespace heed
