#include "heed/metrics/classification.h"

namespace heed {
namespace {

std::string trimmed(const std::string& line) {
  constexpr const char* kSpace = " \t\r\n";
  const size_t begin = line.find_first_not_of(kSpace);
  return begin == std::string::npos ? "" : line.substr(begin, line.find_last_not_of(kSpace) - begin + 1);
}

// heed classify writes a probability behind the label.
std::string label_of(const std::string& line) {
  return trimmed(line.substr(0, line.find('\t', line.find_first_not_of(" \t\r\n"))));
}

// 0 where nothing can be said.
double percent(int64_t part, int64_t whole) {
  return whole > 0 ? 100 * static_cast<double>(part) / static_cast<double>(whole) : 0;
}

}  // namespace

void Classification::add(const std::string& hypothesis, std::span<const std::string> references) {
  if (references.size() != 1)
    fail_input("labels are compared with one reference, {} were given", references.size());
  const std::string given = label_of(hypothesis), meant = label_of(references[0]);
  ++classes_[given].given;
  ++classes_[meant].meant;
  ++lines_;
  if (given == meant) {
    ++classes_[given].right;
    ++right_;
  }
}

void Classification::merge(const Classification& other) {
  for (const auto& [label, counts] : other.classes_) {
    Counts& own = classes_[label];
    own.right += counts.right;
    own.given += counts.given;
    own.meant += counts.meant;
  }
  right_ += other.right_;
  lines_ += other.lines_;
}

MetricScore Classification::score() const {
  const double accuracy = percent(right_, lines_);
  const std::string signature = fmt::format("classes:{}", classes_.size());
  if (what_ == ClassificationScore::kAccuracy)
    return {"Accuracy", accuracy, signature, fmt::format("(right = {} lines = {})", right_, lines_), {}};
  std::vector<ClassScore> classes;
  double sum = 0;
  for (const auto& [label, counts] : classes_) {
    classes.push_back({label, percent(counts.right, counts.given), percent(counts.right, counts.meant),
                       percent(2 * counts.right, counts.given + counts.meant), counts.meant});
    sum += classes.back().f1;
  }
  const double macro = classes.empty() ? 0 : sum / static_cast<double>(classes.size());
  return {"F1", macro, signature + "|average:macro", fmt::format("(micro = {:.2f})", accuracy), classes};
}

}  // namespace heed
