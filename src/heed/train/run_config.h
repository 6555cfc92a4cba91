// A whole configuration: what `heed train` reads and the model folder keeps.
#pragma once

#include <span>
#include <string>

#include "heed/data/data_config.h"
#include "heed/models/model_config.h"
#include "heed/text/text_config.h"
#include "heed/train/trainer.h"

namespace heed {

enum class Precision { automatic, f32, bf16 };

struct RunConfig {
  DataConfig data;
  TextConfig text;
  ModelConfig model;
  TrainConfig train;
  Precision precision = Precision::automatic;

  void visit(ConfigVisitor& v);

  // The type of activations: bf16 where the processor multiplies it, unless the configuration says.
  DType activations() const;
};

// Reads a configuration file, or takes the defaults for pairs in a .tsv or .tsv.gz; paths in it are relative
// to its folder and become absolute.
// Throws InputError with file and line.
RunConfig read_run_config(const std::string& path, std::span<const std::string> overrides);

}  // namespace heed
