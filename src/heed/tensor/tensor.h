// Tensors: shape, element type and shared storage, known at run time, passed by value.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>

#include "heed/base/error.h"
#include "heed/tensor/dtype.h"

namespace heed {

// Up to four extents. The last is the width, the others together are the rows.
class Shape {
 public:
  static constexpr int kMaxRank = 4;

  Shape() = default;
  // Throws Error on a negative extent or more than four.
  Shape(std::initializer_list<int64_t> extents) : Shape(std::span(extents.begin(), extents.size())) {}
  explicit Shape(std::span<const int64_t> extents);

  int rank() const { return rank_; }
  int64_t operator[](int i) const { return extents_[i]; }
  std::span<const int64_t> extents() const { return {extents_.data(), static_cast<size_t>(rank_)}; }
  int64_t size() const { return rows() * width(); }
  int64_t width() const { return rank_ == 0 ? 1 : extents_[rank_ - 1]; }
  int64_t rows() const;
  std::string to_string() const;  // "[3, 4]"
  bool operator==(const Shape&) const = default;

 private:
  std::array<int64_t, kMaxRank> extents_{};
  int rank_ = 0;
};

// Bytes that tensors share. Step memory belongs to an arena and dies when that is reset; the epoch tells.
class Storage {
 public:
  virtual ~Storage() = default;
  std::byte* bytes() const {
    if (epoch_now_ != nullptr && *epoch_now_ != epoch_) [[unlikely]]
      throw_stale();
    return bytes_;
  }

 protected:
  explicit Storage(std::byte* bytes) : bytes_(bytes) {}
  Storage(std::byte* bytes, const uint64_t* epoch_now)
      : bytes_(bytes), epoch_now_(epoch_now), epoch_(*epoch_now) {}
  bool is_stale() const { return *epoch_now_ != epoch_; }

 private:
  [[noreturn]] static void throw_stale();

  std::byte* bytes_;
  const uint64_t* epoch_now_ = nullptr;
  uint64_t epoch_ = 0;
};

class Tensor {
 public:
  Tensor() = default;  // undefined: holds nothing
  Tensor(std::shared_ptr<const Storage> storage, Shape shape, DType dtype)
      : storage_(std::move(storage)), shape_(shape), row_stride_(shape.width()), dtype_(dtype) {}

  // On the heap, contents unspecified (zeros: all bits zero).
  static Tensor empty(Shape shape, DType dtype = DType::f32);
  static Tensor zeros(Shape shape, DType dtype = DType::f32);
  static Tensor of(Shape shape, std::span<const float> values);

  explicit operator bool() const { return storage_ != nullptr; }
  const Shape& shape() const { return shape_; }
  DType dtype() const { return dtype_; }
  int64_t rows() const { return shape_.rows(); }
  int64_t width() const { return shape_.width(); }
  int64_t size() const { return shape_.size(); }
  int64_t row_stride() const { return row_stride_; }  // elements from a row to the next
  bool is_dense() const { return row_stride_ == width() || rows() <= 1; }

  // Throws Error when T is not the element type, or when the step whose memory this was is over.
  template <class T>
  T* data() const {
    require(dtype_of<T> == dtype_, "tensor of {} read as {}", name_of(dtype_), name_of(dtype_of<T>));
    return reinterpret_cast<T*>(storage_->bytes()) + offset_;
  }
  // The same; null of an undefined tensor.
  template <class T>
  T* data_or_null() const {
    return storage_ ? data<T>() : nullptr;
  }
  template <class T>
  T* row(int64_t r) const {
    return data<T>() + r * row_stride_;
  }
  float item() const;  // the only element, as a float; throws Error when there are several

  // Views on the same storage.
  Tensor reshaped(Shape shape) const;                  // dense tensors only
  Tensor columns(int64_t begin, int64_t end) const;    // [R, end - begin]
  Tensor row_range(int64_t begin, int64_t end) const;  // [end - begin, D]
  // A dense copy on the heap, which outlives the step; of these rows, in their order: [rows, D].
  Tensor keep() const;
  Tensor keep_rows(std::span<const int32_t> rows) const;

  bool shares_storage_with_others() const { return storage_.use_count() > 1; }

 private:
  std::shared_ptr<const Storage> storage_;
  Shape shape_;
  int64_t offset_ = 0;
  int64_t row_stride_ = 0;
  DType dtype_ = DType::f32;
};

// Calls f with a value of the element type: dispatch(x.dtype(), [&](auto zero) { using T = decltype(zero);
// ... }).
template <class F>
decltype(auto) dispatch(DType dtype, F&& f) {
  if (dtype == DType::bf16) return f(Bf16{});
  return f(float{});
}

// Copies so many rows, from one row on in each. Throws Error where types or widths differ, or rows are named
// that a tensor does not have.
void copy_rows(const Tensor& from, int64_t from_row, const Tensor& to, int64_t to_row, int64_t rows);

// The rows of one above those of the other, on the heap. Throws Error where types or widths differ.
Tensor concat_rows(const Tensor& upper, const Tensor& lower);

}  // namespace heed
