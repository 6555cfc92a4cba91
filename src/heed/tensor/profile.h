// Where the time goes: calls, milliseconds, operations and bytes by op.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace heed {

class Profile {
 public:
  struct Entry {
    int64_t calls = 0;
    double seconds = 0.0;
    double flops = 0.0;  // floating-point operations the op must do
    double bytes = 0.0;  // the fewest bytes it must move: each input read once, each output written once
  };

  void add(std::string_view op, double seconds, double flops, double bytes);
  const std::map<std::string, Entry, std::less<>>& entries() const { return entries_; }
  // A table: op, calls, ms, share, GFLOP/s, GB/s; the most expensive first.
  std::string table() const;

 private:
  std::map<std::string, Entry, std::less<>> entries_;
};

// Times what happens while it lives; costs nothing when there is no profile. `op` must outlive it.
class ProfileScope {
 public:
  ProfileScope(Profile* profile, std::string_view op, double flops, double bytes)
      : profile_(profile), op_(op), flops_(flops), bytes_(bytes) {
    if (profile_ != nullptr) start_ = std::chrono::steady_clock::now();
  }
  ~ProfileScope() {
    if (profile_ == nullptr) return;
    const auto spent = std::chrono::steady_clock::now() - start_;
    profile_->add(op_, std::chrono::duration<double>(spent).count(), flops_, bytes_);
  }
  ProfileScope(const ProfileScope&) = delete;
  ProfileScope& operator=(const ProfileScope&) = delete;

 private:
  Profile* profile_;
  std::string_view op_;
  double flops_, bytes_;
  std::chrono::steady_clock::time_point start_;
};

}  // namespace heed
