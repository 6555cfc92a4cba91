// All events of a TensorBoard file.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "heed/train/tensorboard.h"

namespace heed {

// Up to where no whole record with right checksums is.
inline std::vector<TensorBoardEvent> read_tensorboard(std::string_view file) {
  std::vector<TensorBoardEvent> events;
  while (auto event = take_tensorboard_event(file)) events.push_back(std::move(*event));
  return events;
}

}  // namespace heed
