// A parameter's packed forms: made when asked for, made anew when the value changed.
#include "heed/autograd/parameter.h"

#include <gtest/gtest.h>

#include <vector>

namespace heed {
namespace {

float first_number(const kernels::PackedMatrix& packed) {
  return *reinterpret_cast<const float*>(packed.data());
}

TEST(Parameter, PacksAnewWhatHasChanged) {
  Context c(1);
  Parameter weight("w", Tensor::of({2, 2}, std::vector<float>{1, 2, 3, 4}));
  EXPECT_EQ(first_number(weight.packed(c)), 1);
  *weight.value().data<float>() = 5;
  EXPECT_EQ(first_number(weight.packed(c)), 1);
  weight.forget_packed();
  EXPECT_EQ(first_number(weight.packed(c)), 5);
  EXPECT_EQ(first_number(weight.packed_back(c)), 5);
}

// From update to update: the forward form, the other, the forward form again.
TEST(Parameter, PacksInTheMemoryOfTheFormItForgot) {
  Context c(1);
  Parameter weight("w", Tensor::of({3, 2}, std::vector<float>{1, 2, 3, 4, 5, 6}));
  static_cast<void>(weight.packed_back(c));  // the larger one
  weight.forget_packed();
  const std::byte* const memory = weight.packed(c).data();
  for (int update = 0; update < 3; ++update) {
    weight.forget_packed();
    EXPECT_EQ(weight.packed_back(c).data(), memory);
    EXPECT_EQ(weight.packed_back(c).outer(), 2);
    weight.forget_packed();
    EXPECT_EQ(weight.packed(c).data(), memory);
    EXPECT_EQ(weight.packed(c).outer(), 3);
  }
}

}  // namespace
}  // namespace heed
