#include "heed/train/tensorboard.h"

#include <array>
#include <bit>
#include <cstring>
#include <optional>
#include <utility>

namespace heed {
namespace {

static_assert(std::endian::native == std::endian::little, "numbers are written as they lie in memory");

constexpr std::array<uint32_t, 256> make_crc_table() {
  std::array<uint32_t, 256> table{};
  for (uint32_t i = 0; i < table.size(); ++i) {
    uint32_t crc = i;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78u : 0u);
    table[i] = crc;
  }
  return table;
}
constexpr std::array<uint32_t, 256> kCrcTable = make_crc_table();

// Checksums of checksums are weak, so the format stores them rotated and shifted.
uint32_t masked_crc(std::string_view bytes) {
  return std::rotr(crc32c(bytes), 15) + 0xA282EAD8u;
}

template <class Number>
void append_fixed(std::string& out, Number number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof(number));
}

template <class Number>
Number read_fixed(std::string_view bytes) {
  Number number;
  std::memcpy(&number, bytes.data(), sizeof(number));
  return number;
}

// Protocol buffers: a field is its number and wire type as a varint, then the value.
enum Wire : uint32_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

void append_varint(std::string& out, uint64_t number) {
  for (; number >= 0x80; number >>= 7) out += static_cast<char>(number | 0x80);
  out += static_cast<char>(number);
}

void append_tag(std::string& out, uint32_t field, Wire wire) {
  append_varint(out, field << 3 | wire);
}

void append_bytes(std::string& out, uint32_t field, std::string_view bytes) {
  append_tag(out, field, kBytes);
  append_varint(out, bytes.size());
  out += bytes;
}

std::string framed(std::string_view message) {
  std::string record;
  append_fixed(record, static_cast<uint64_t>(message.size()));
  append_fixed(record, masked_crc(record));
  record += message;
  append_fixed(record, masked_crc(message));
  return record;
}

// One field taken off the front of a message.
struct Field {
  uint32_t number = 0;
  Wire wire = kVarint;
  uint64_t varint = 0;          // of a varint
  std::string_view bytes = {};  // of anything else
};

std::optional<uint64_t> take_varint(std::string_view& message) {
  uint64_t number = 0;
  for (int shift = 0; shift < 64 && !message.empty(); shift += 7) {
    const auto byte = static_cast<uint8_t>(message.front());
    message.remove_prefix(1);
    number |= static_cast<uint64_t>(byte & 0x7F) << shift;
    if (byte < 0x80) return number;
  }
  return std::nullopt;
}

std::optional<Field> take_field(std::string_view& message) {
  const auto tag = take_varint(message);
  if (!tag) return std::nullopt;
  Field field{.number = static_cast<uint32_t>(*tag >> 3), .wire = static_cast<Wire>(*tag & 7)};
  std::optional<uint64_t> length;
  if (field.wire == kFixed64) length = 8;
  if (field.wire == kFixed32) length = 4;
  if (field.wire == kVarint || field.wire == kBytes) length = take_varint(message);
  if (!length) return std::nullopt;
  if (field.wire == kVarint) {
    field.varint = *length;
    return field;
  }
  if (*length > message.size()) return std::nullopt;
  field.bytes = message.substr(0, *length);
  message.remove_prefix(*length);
  return field;
}

void read_summary(std::string_view summary, TensorBoardScalars& scalars) {
  while (const auto field = take_field(summary)) {
    if (field->number != 1 || field->wire != kBytes) continue;
    std::string_view value = field->bytes;
    auto& [tag, scalar] = scalars.emplace_back();
    while (const auto part = take_field(value)) {
      if (part->number == 1 && part->wire == kBytes) tag = part->bytes;
      if (part->number == 2 && part->wire == kFixed32) scalar = read_fixed<float>(part->bytes);
    }
  }
}

TensorBoardEvent read_event(std::string_view message) {
  TensorBoardEvent event;
  while (const auto field = take_field(message)) {
    if (field->number == 1 && field->wire == kFixed64) event.wall_time = read_fixed<double>(field->bytes);
    if (field->number == 2 && field->wire == kVarint) event.step = static_cast<int64_t>(field->varint);
    if (field->number == 3 && field->wire == kBytes) event.file_version = field->bytes;
    if (field->number == 5 && field->wire == kBytes) read_summary(field->bytes, event.scalars);
  }
  return event;
}

}  // namespace

uint32_t crc32c(std::string_view bytes) {
  uint32_t crc = ~0u;
  for (const char c : bytes) crc = (crc >> 8) ^ kCrcTable[(crc ^ static_cast<uint8_t>(c)) & 0xFF];
  return ~crc;
}

std::string tensorboard_header(double wall_time) {
  return tensorboard_record({.wall_time = wall_time, .scalars = {}, .file_version = "brain.Event:2"});
}

std::string tensorboard_record(const TensorBoardEvent& event) {
  std::string message;
  append_tag(message, 1, kFixed64);
  append_fixed(message, event.wall_time);
  append_tag(message, 2, kVarint);
  append_varint(message, static_cast<uint64_t>(event.step));
  if (!event.file_version.empty()) append_bytes(message, 3, event.file_version);
  std::string summary;
  for (const auto& [tag, scalar] : event.scalars) {
    std::string value;
    append_bytes(value, 1, tag);
    append_tag(value, 2, kFixed32);
    append_fixed(value, scalar);
    append_bytes(summary, 1, value);
  }
  if (!summary.empty()) append_bytes(message, 5, summary);
  return framed(message);
}

std::optional<TensorBoardEvent> take_tensorboard_event(std::string_view& file) {
  constexpr size_t kPrefix = sizeof(uint64_t) + sizeof(uint32_t);
  constexpr size_t kSuffix = sizeof(uint32_t);
  if (file.size() < kPrefix + kSuffix) return std::nullopt;
  const auto length = read_fixed<uint64_t>(file);
  if (masked_crc(file.substr(0, sizeof(length))) != read_fixed<uint32_t>(file.substr(sizeof(length))))
    return std::nullopt;
  if (length > file.size() - kPrefix - kSuffix) return std::nullopt;
  const std::string_view message = file.substr(kPrefix, length);
  if (masked_crc(message) != read_fixed<uint32_t>(file.substr(kPrefix + length))) return std::nullopt;
  file.remove_prefix(kPrefix + length + kSuffix);
  return read_event(message);
}

}  // namespace heed
