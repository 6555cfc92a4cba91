// What the keys of a configuration must agree on between them; what each says of itself is checked as it is
// read.
#pragma once

#include "heed/data/corpus.h"
#include "heed/tensor/context.h"
#include "heed/train/run_config.h"
#include "heed/train/saved_model.h"

namespace heed {

// All that can be known before the data are read, which may take minutes. Throws InputError.
void check_before_reading(const RunConfig& config);

// The folder that train.start names, whose weights and text part a training may begin with: text and model
// are set there as here, but for dropout and where codes lie. Throws InputError where they are not, or it has
// no weights.
ModelFolder open_start(const RunConfig& config);

// What the data, or the model made for them, have to agree with. Throws InputError.
void check_with_data(Context& c, const RunConfig& config, const TrainingData& data, const AnyModel& model);

}  // namespace heed
