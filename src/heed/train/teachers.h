// Models that teach another one (knowledge distillation).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "heed/data/batch.h"
#include "heed/data/data_config.h"
#include "heed/models/encoder_decoder.h"
#include "heed/text/text_processor.h"

namespace heed {

class SavedModel;

class Teachers {
 public:
  // Opens the model folders. Throws InputError when one holds no model that translates, one with other words
  // than `text` (their order may differ, as it does where more text was counted), or one that cannot read
  // sentences as long as `data` allows.
  Teachers(const std::vector<std::string>& folders, const ModelText& text, const DataConfig& data);
  ~Teachers();

  // The mean of what they expect at each target token: probabilities [R_t, V] f32. Computed as in decoding,
  // whatever c is at. While several teachers are asked, two such tensors are held.
  Tensor probabilities(Context& c, const Batch& batch) const;

  // A number of their settings and weights: other teachers teach something else.
  std::string fingerprint() const;

 private:
  struct Teacher {
    std::unique_ptr<SavedModel> model;
    std::vector<int32_t> source_ids, target_ids;  // its id of each word of the training
  };
  std::vector<Teacher> teachers_;
};

}  // namespace heed
