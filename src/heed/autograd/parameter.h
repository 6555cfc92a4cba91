// Trained weights.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "heed/autograd/tape.h"
#include "heed/kernels/matmul.h"

namespace heed {

// A named weight: the f32 master copy, its gradient, and the packed forms that products stream. Whoever
// changes the value calls forget_packed(). Any number of threads may use one, each with a context of its own,
// while nobody changes it.
class Parameter {
 public:
  Parameter(std::string name, Tensor value);

  const std::string& name() const { return name_; }
  const Tensor& value() const { return value_; }
  const Shape& shape() const { return value_.shape(); }
  // Lets the packed forms go, which are made anew when next asked for: after a change of the value, and
  // between a forward and a backward pass, as the next products want the other form. Where there is one, its
  // memory is kept for what is packed next: to give it back and ask for it again twice an update costs more
  // in page faults than packing does. Where there are both, holding them would raise the peak.
  void forget_packed();

  // As an input of an op: a variable that gathers the gradient while c records.
  Var var(const Context& c) const;
  Gradient& gradient() const { return *gradient_; }

  // For a weight [N, K]: B [K, N], for y = x W^T, or B [N, K], for dx = dy W, in the type of c's activations.
  const kernels::PackedMatrix& packed(Context& c) const { return packed_as(c, false); }
  const kernels::PackedMatrix& packed_back(Context& c) const { return packed_as(c, true); }

 private:
  const kernels::PackedMatrix& packed_as(Context& c, bool back) const;

  std::string name_;
  Tensor value_;
  std::shared_ptr<Gradient> gradient_;
  mutable std::mutex packing_;
  mutable kernels::PackedMatrix packed_[4];  // forward and back, in f32 and in bf16
  mutable kernels::PackedMatrix spare_;      // of no meaning but for its memory
};

// The numbers of a weight that there need not be; null then.
inline const float* data_or_null(const Parameter* parameter) {
  return parameter != nullptr ? parameter->value().data<float>() : nullptr;
}

}  // namespace heed
