// The best few of many scores.
#pragma once

#include <cstdint>

namespace heed::kernels::cpu {

struct Candidate {
  float score;
  int32_t id;
};

// A list of the k best that were offered, best first; of equal scores the one offered first.
class BestList {
 public:
  BestList(Candidate* list, int64_t k) : list_(list), k_(k) {}

  bool full() const { return size_ == k_; }
  float threshold() const { return list_[k_ - 1].score; }  // when full

  // Once the list is full, only scores above the threshold may be added.
  void add(Candidate candidate) {
    int64_t i = full() ? k_ - 1 : size_++;
    for (; i > 0 && candidate.score > list_[i - 1].score; --i) list_[i] = list_[i - 1];
    list_[i] = candidate;
  }

 private:
  Candidate* list_;
  int64_t k_, size_ = 0;
};

}  // namespace heed::kernels::cpu
