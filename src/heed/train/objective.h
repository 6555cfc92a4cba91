// What training minimises, and what validation measures. A task is a pair of these; the trainer knows no
// more.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "heed/autograd/tape.h"
#include "heed/data/batch.h"

namespace heed {

// The trainer minimises sum / count over all micro-batches of an update.
struct BatchLoss {
  Var sum;             // scalar
  double count = 0.0;  // target tokens, or whatever the loss is a mean over
};

class Objective {
 public:
  virtual ~Objective() = default;
  // Called with c training, and recording where gradients are wanted. update counts from 1: some objectives
  // change as training goes on.
  virtual BatchLoss loss(Context& c, const Batch& batch, int64_t update) const = 0;
  // A number of the models that it learns from beside the data, without which a training cannot go on; empty:
  // there are none.
  virtual std::string fingerprint() const { return {}; }
};

struct ValidationSample {
  std::string source, target, output;
};

struct Validation {
  double loss = 0.0;                      // not smoothed, the mean over `count`
  std::map<std::string, double> metrics;  // "bleu", "chrf", "accuracy", ...
  std::vector<ValidationSample> samples;
};

class Validator {
 public:
  virtual ~Validator() = default;
  // Called with c neither recording nor training.
  virtual Validation validate(Context& c) const = 0;
  // A number of the data it measures on: best values of other data cannot be compared.
  virtual std::string fingerprint() const = 0;
};

}  // namespace heed
