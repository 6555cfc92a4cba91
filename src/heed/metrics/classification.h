// Accuracy, precision, recall and F1 of labels, one for each line.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>

#include "heed/metrics/score.h"

namespace heed {

enum class ClassificationScore { kAccuracy, kF1 };

// The statistics of a corpus: add labels, merge with another part's, score.
class Classification {
 public:
  explicit Classification(ClassificationScore what = ClassificationScore::kAccuracy) : what_(what) {}
  // A label is the line up to its first tab, without white space around it. Throws InputError unless there is
  // one reference.
  void add(const std::string& hypothesis, std::span<const std::string> references);
  void merge(const Classification& other);
  // F1 comes with `classes`. It is the mean over the classes seen in hypotheses or references (macro); micro,
  // in the details, is F1 of all decisions together, which for one label a line is the accuracy.
  MetricScore score() const;

 private:
  struct Counts {
    int64_t right = 0;
    int64_t given = 0;  // by the hypotheses
    int64_t meant = 0;  // by the references
  };

  ClassificationScore what_;
  std::map<std::string, Counts> classes_;
  int64_t right_ = 0;
  int64_t lines_ = 0;
};

}  // namespace heed
