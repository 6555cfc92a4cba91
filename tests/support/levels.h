// Tests that run once on every processor level of the machine, and in each type of activations.
#pragma once

#include <gtest/gtest.h>

#include "heed/kernels/cpu_level.h"
#include "heed/tensor/tensor.h"

namespace heed::test {

template <class F>
void on_each_level(F&& f) {
  const kernels::CpuLevel before = kernels::cpu_level();
  for (const kernels::CpuLevel level : kernels::available_cpu_levels()) {
    SCOPED_TRACE(kernels::name_of(level));
    kernels::set_cpu_level(level);
    f();
    if (testing::Test::HasFatalFailure()) break;
  }
  kernels::set_cpu_level(before);
}

// f(precision)
template <class F>
void at_each_level_and_precision(F&& f) {
  on_each_level([&] {
    for (const DType precision : {DType::f32, DType::bf16}) {
      SCOPED_TRACE(name_of(precision));
      f(precision);
      if (testing::Test::HasFatalFailure()) return;
    }
  });
}

}  // namespace heed::test
