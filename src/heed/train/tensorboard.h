// TensorBoard's event files: records with length and masked CRC-32C (the TFRecord framing), each an Event
// message with wall time, step and scalar values (tensorflow/core/util/event.proto), written by hand.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace heed {

// CRC-32 with Castagnoli's polynomial (RFC 3720, B.4).
uint32_t crc32c(std::string_view bytes);

using TensorBoardScalars = std::vector<std::pair<std::string, float>>;  // tag and value

struct TensorBoardEvent {
  double wall_time = 0;  // seconds since 1970
  int64_t step = 0;
  TensorBoardScalars scalars;
  std::string file_version;  // only in a file's first event
};

// The record that begins a file, and that of an event with scalars.
std::string tensorboard_header(double wall_time);
std::string tensorboard_record(const TensorBoardEvent& event);

// Takes the event at the front off a file; nothing where no whole record with right checksums is there.
std::optional<TensorBoardEvent> take_tensorboard_event(std::string_view& file);

}  // namespace heed
