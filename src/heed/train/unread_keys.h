// Keys of text and training that were set although, with the rest of the configuration as it is, nothing
// reads them. Those of models are left alone: one configuration serves for several scores, windows or
// poolings in turn.
#pragma once

#include "heed/train/run_config.h"

namespace heed {

// Throws InputError on the first such key: who set it expects what will not happen.
void refuse_unread_keys(const RunConfig& config);

}  // namespace heed
