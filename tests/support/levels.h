// Tests that run once on every processor level of the machine.
#pragma once

#include <gtest/gtest.h>

#include "heed/kernels/cpu_level.h"

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

}  // namespace heed::test
