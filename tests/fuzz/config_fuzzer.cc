#include "tests/fuzz/targets.h"

extern "C" int LLVMFuzzerTestOneInput(const char* data, size_t size) {
  heed::fuzz::read_config({data, size});
  heed::fuzz::read_override({data, size});
  return 0;
}
