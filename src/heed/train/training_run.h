// From a configuration to a model folder.
#pragma once

#include <string>

#include "heed/train/run_config.h"

namespace heed {

struct TrainingOptions {
  bool resume = false;
  int threads = 1;
  TrainLimits limits;
};

// Trains what the configuration asks for into `folder`, or goes on there. Throws InputError when the folder
// holds a training and resume is off, when another process trains there, or when the configuration is not the
// one the training began with, but for the keys that only say when to stop (not with the schedule cosine, of
// which the last update decides every rate), what to tell, or where the data and teachers lie.
StopReason train_model(const RunConfig& config, const std::string& folder, const TrainingOptions& options,
                       TrainListener& listener);

}  // namespace heed
