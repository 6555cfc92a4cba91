// Models that teach another one (knowledge distillation).
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <unordered_map>
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
  // sentences as long as `data` allows. `target_tokens`: of the corpus that is taught. Where the
  // probabilities at all of them are no more than 512 MiB, as with few words, they are kept: of a batch
  // whose sentences were all asked about before nobody is asked again.
  Teachers(const std::vector<std::string>& folders, const ModelText& text, const DataConfig& data,
           int64_t target_tokens = 0);
  ~Teachers();

  // The mean of what they expect at each target token: probabilities [R_t, V] f32. Computed as in decoding,
  // whatever c is at; a sentence is known by its number. While several teachers are asked, two such tensors
  // are held.
  Tensor probabilities(Context& c, const Batch& batch);

  // A number of their settings and weights: other teachers teach something else.
  std::string fingerprint() const;

 private:
  struct Teacher {
    std::unique_ptr<SavedModel> model;
    std::vector<int32_t> source_ids, target_ids;  // its id of each word of the training
  };
  Tensor asked(Context& c, const Batch& batch) const;

  std::vector<Teacher> teachers_;
  Tensor kept_;  // [target tokens, V], the first kept_rows_ known
  int64_t kept_rows_ = 0;
  std::unordered_map<uint64_t, int64_t> place_;  // of a sentence's first row, by its number
};

}  // namespace heed
