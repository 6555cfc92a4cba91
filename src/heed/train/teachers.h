// Models that teach another one (knowledge distillation).
#pragma once

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
  // than `text`, or one that cannot read sentences as long as `data` allows.
  Teachers(const std::vector<std::string>& folders, const ModelText& text, const DataConfig& data);
  ~Teachers();

  // The mean of what they expect at each target token: probabilities [R_t, V] f32. Computed as in decoding,
  // whatever c is at. While several teachers are asked, two such tensors are held.
  Tensor probabilities(Context& c, const Batch& batch) const;

  // A number of their settings and weights: other teachers teach something else.
  std::string fingerprint() const;

 private:
  std::vector<std::unique_ptr<SavedModel>> models_;
};

}  // namespace heed
