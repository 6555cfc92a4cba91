// heed bench: fixed workloads, one JSON line each, to be run beside a rival's. What they share.
#pragma once

#include <chrono>
#include <cstdint>

#include "heed/base/json.h"
#include "heed/cli/commands.h"
#include "heed/models/model_config.h"

namespace heed::cli {

enum class BenchModel { tiny, base, bahdanau, luong, classifier };

ModelConfig config_of(BenchModel model);

class Stopwatch {
 public:
  double seconds() const { return std::chrono::duration<double>(Clock::now() - start_).count(); }

 private:
  using Clock = std::chrono::steady_clock;
  Clock::time_point start_ = Clock::now();
};

int64_t peak_rss_mb();

// Begins the line: what ran, and on what.
void add_common(JsonWriter& json, BenchModel model, const Context& c);

int bench_train(Arguments arguments);
int bench_decode(Arguments arguments);

}  // namespace heed::cli
