// Models that teach another one (knowledge distillation).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "heed/data/batch.h"
#include "heed/models/encoder_decoder.h"
#include "heed/text/text_processor.h"

namespace heed {

class SavedModel;

class Teachers {
 public:
  // Opens the model folders. Throws InputError when one holds no model that translates, or one with other
  // words than `text`.
  Teachers(const std::vector<std::string>& folders, const ModelText& text);
  ~Teachers();

  // The mean of what they expect at each target token: probabilities [R_t, V] f32. Computed as in decoding,
  // whatever c is at. While several teachers are asked, two such tensors are held.
  Tensor probabilities(Context& c, const Batch& batch) const;

 private:
  std::vector<std::unique_ptr<SavedModel>> models_;
};

}  // namespace heed
