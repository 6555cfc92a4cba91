// Between a model's tensors and the folder's files.
#pragma once

#include <vector>

#include "heed/checkpoint/model_folder.h"
#include "heed/train/optimiser.h"

namespace heed {

// Loading throws InputError naming the file and the tensor when names, types or shapes differ.
TensorViews weight_views(const ParameterStore& parameters);
void load_weights(const SafetensorsFile& file, ParameterStore& parameters);

TensorViews moment_views(const ParameterStore& parameters, const Adam& adam);
void load_moments(const SafetensorsFile& file, const ParameterStore& parameters, const Adam& adam);

// The mean of the weights of these checkpoints, all of one model; of running statistics the mean as well,
// which is what the averaged weights are nearest to having seen.
void load_average(const ModelFolder& folder, const std::vector<int64_t>& updates, ParameterStore& parameters);

}  // namespace heed
