// The classifier's part of heed bench.
#pragma once

#include <string>

#include "heed/cli/common.h"

namespace heed::cli {

struct ClassifierBench {
  std::string data;  // folder with train.tsv or train.tsv.gz: label and review
  int64_t updates = 0, skip = 0;
  int64_t seed = 0;
  RuntimeOptions runtime;
  bool profile = false;
};

// Trains the recurrent classifier with its published settings (recipes/sentiment) and prints one JSON line.
int bench_classifier(const ClassifierBench& bench);

}  // namespace heed::cli
