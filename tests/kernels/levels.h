// Runs a test on every processor level that this machine has, and on emulated matrix units.
#pragma once

#include <gtest/gtest.h>

#include "heed/kernels/cpu/tiles.h"
#include "heed/kernels/cpu_level.h"

namespace heed::kernels {

template <class Test>
void on_every_level(Test test) {
  const CpuLevel before = cpu_level();
  for (const CpuLevel level : available_cpu_levels()) {
    SCOPED_TRACE(name_of(level));
    set_cpu_level(level);
    test();
    if (testing::Test::HasFatalFailure()) break;
  }
  set_cpu_level(before);
  SCOPED_TRACE("emulated matrix units");
  cpu::emulate_tiles(true);
  if (!testing::Test::HasFatalFailure()) test();
  cpu::emulate_tiles(false);
}

}  // namespace heed::kernels
