#include "heed/tensor/profile.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace heed {

void Profile::add(std::string_view op, double seconds, double flops, double bytes) {
  auto found = entries_.find(op);
  if (found == entries_.end()) found = entries_.emplace(std::string(op), Entry{}).first;
  ++found->second.calls;
  found->second.seconds += seconds;
  found->second.flops += flops;
  found->second.bytes += bytes;
}

std::string Profile::table() const {
  std::vector<std::pair<std::string, Entry>> rows(entries_.begin(), entries_.end());
  std::sort(rows.begin(), rows.end(),
            [](const auto& a, const auto& b) { return a.second.seconds > b.second.seconds; });
  double total = 0.0;
  for (const auto& [op, entry] : rows) total += entry.seconds;
  std::string table =
      fmt::format("{:<26}{:>9}{:>12}{:>8}{:>10}{:>8}\n", "op", "calls", "ms", "share", "GFLOP/s", "GB/s");
  for (const auto& [op, entry] : rows) {
    table += fmt::format("{:<26}{:>9}{:>12.1f}{:>7.1f}%{:>10.1f}{:>8.1f}\n", op, entry.calls,
                         1e3 * entry.seconds, 100.0 * entry.seconds / total,
                         entry.flops / entry.seconds * 1e-9, entry.bytes / entry.seconds * 1e-9);
  }
  return table;
}

}  // namespace heed
