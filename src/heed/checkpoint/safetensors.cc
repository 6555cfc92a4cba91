#include "heed/checkpoint/safetensors.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>
#include <set>
#include <utility>

#include "heed/base/error.h"
#include "heed/base/file.h"
#include "heed/base/json.h"
#include "heed/base/text_util.h"

namespace heed {
namespace {

constexpr uint64_t kLongestHeader = 100'000'000;  // the limit of the reference implementation
constexpr size_t kPrefix = 8;                     // bytes of the header's length
constexpr const char* kMetadata = "__metadata__";

using Json = nlohmann::json;

// The header as JSON. Repeated names, which JSON parsers silently merge, and deep nesting are refused on the
// way.
Json parse_header(std::string_view text, const std::string& name) {
  constexpr int kDeepest = 4;
  std::vector<std::set<std::string>> open_objects;
  const auto check = [&](int depth, Json::parse_event_t event, Json& parsed) {
    if (depth > kDeepest) fail_input("{}: its header is nested more than {} deep", name, kDeepest);
    if (event == Json::parse_event_t::object_start) open_objects.emplace_back();
    if (event == Json::parse_event_t::object_end) open_objects.pop_back();
    if (event == Json::parse_event_t::key) {
      const auto& key = parsed.get_ref<const std::string&>();
      if (!open_objects.back().insert(key).second)
        fail_input("{}: its header names {} twice", name, in_quotes(key));
    }
    return true;
  };
  Json header;
  try {
    header = Json::parse(text, check);
  } catch (const Json::exception& error) {
    fail_input("{}: its header is not valid JSON: {}", name, error.what());
  }
  if (!header.is_object()) fail_input("{}: its header is not a JSON object", name);
  return header;
}

uint64_t unsigned_number(const Json& number, const std::string& subject, std::string_view what) {
  if (!number.is_number_unsigned() || number.get<uint64_t>() > INT64_MAX)
    fail_input("{}: its {} must be whole numbers from 0", subject, what);
  return number.get<uint64_t>();
}

// One tensor's entry, checked by itself; `data` is what follows the header.
TensorView parse_tensor(const Json& entry, std::span<const std::byte> data, const std::string& subject) {
  if (!entry.is_object() || entry.size() != 3 || !entry.contains("dtype") || !entry.contains("shape") ||
      !entry.contains("data_offsets"))
    fail_input("{}: expected dtype, shape and data_offsets, nothing else", subject);
  TensorView view;
  const Json& dtype = entry["dtype"];
  if (!dtype.is_string() || safetensors_dtype_size(dtype.get_ref<const std::string&>()) == 0)
    fail_input(
        "{}: unknown dtype {}", subject,
        in_quotes(dtype.is_string() ? dtype.get_ref<const std::string&>() : std::string(dtype.type_name())));
  view.dtype = dtype.get<std::string>();

  const Json& shape = entry["shape"];
  constexpr size_t kMostDimensions = 16;
  if (!shape.is_array() || shape.size() > kMostDimensions)
    fail_input("{}: its shape must be a list of at most {} numbers", subject, kMostDimensions);
  uint64_t bytes = safetensors_dtype_size(view.dtype);
  for (const Json& length : shape) {
    view.shape.push_back(static_cast<int64_t>(unsigned_number(length, subject, "lengths")));
    if (__builtin_mul_overflow(bytes, static_cast<uint64_t>(view.shape.back()), &bytes))
      fail_input("{}: its shape has more elements than can be counted", subject);
  }

  const Json& offsets = entry["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2)
    fail_input("{}: its data_offsets must be two numbers", subject);
  const uint64_t begin = unsigned_number(offsets[0], subject, "data_offsets");
  const uint64_t end = unsigned_number(offsets[1], subject, "data_offsets");
  if (begin > end || end > data.size())
    fail_input("{}: its data at {} to {} is not inside the {} bytes of data; is the file cut short?", subject,
               begin, end, data.size());
  if (end - begin != bytes)
    fail_input("{}: {} bytes of data, but its shape and {} need {}", subject, end - begin, view.dtype, bytes);
  view.bytes = data.subspan(begin, end - begin);
  return view;
}

// Tensors must lie one after the other and fill the data: nothing shared, nothing hidden between or behind
// them.
void check_layout(const TensorViews& tensors, std::span<const std::byte> data, const std::string& name) {
  std::vector<std::pair<const std::byte*, const std::byte*>> ranges;
  for (const auto& [key, view] : tensors)
    if (!view.bytes.empty()) ranges.emplace_back(view.bytes.data(), view.bytes.data() + view.bytes.size());
  std::sort(ranges.begin(), ranges.end());
  const std::byte* reached = data.data();
  for (const auto& [begin, end] : ranges) {
    if (begin != reached)
      fail_input("{}: its tensors {} at byte {} of the data", name,
                 begin < reached ? "overlap" : "leave a gap", std::min(begin, reached) - data.data());
    reached = end;
  }
  const auto trailing = data.data() + data.size() - reached;
  if (trailing != 0) fail_input("{}: {} bytes after the last tensor", name, trailing);
}

std::string header_of(const std::vector<const TensorViews::value_type*>& order, const TensorViews& tensors,
                      const Metadata& metadata) {
  std::map<std::string_view, uint64_t> offsets;
  uint64_t offset = 0;
  for (const auto* tensor : order) {
    offsets[tensor->first] = offset;
    offset += tensor->second.bytes.size();
  }
  JsonWriter json;
  json.begin_object();
  if (!metadata.empty()) {
    json.key(kMetadata).begin_object();
    for (const auto& [key, text] : metadata) json.field(key, text);
    json.end_object();
  }
  for (const auto& [name, view] : tensors) {
    json.key(name).begin_object().field("dtype", view.dtype).key("shape").begin_array();
    for (const int64_t length : view.shape) json.value(length);
    json.end_array().key("data_offsets").begin_array();
    json.value(offsets[name]).value(offsets[name] + view.bytes.size()).end_array().end_object();
  }
  std::string header = json.end_object().text();
  header.append((kPrefix - header.size() % kPrefix) % kPrefix, ' ');  // the data begins aligned
  return header;
}

}  // namespace

size_t safetensors_dtype_size(std::string_view dtype) {
  static constexpr std::array<std::pair<std::string_view, size_t>, 13> kSizes = {{{"F64", 8},
                                                                                  {"F32", 4},
                                                                                  {"F16", 2},
                                                                                  {"BF16", 2},
                                                                                  {"I64", 8},
                                                                                  {"I32", 4},
                                                                                  {"I16", 2},
                                                                                  {"I8", 1},
                                                                                  {"U64", 8},
                                                                                  {"U32", 4},
                                                                                  {"U16", 2},
                                                                                  {"U8", 1},
                                                                                  {"BOOL", 1}}};
  const auto* found =
      std::find_if(kSizes.begin(), kSizes.end(), [&](const auto& entry) { return entry.first == dtype; });
  return found == kSizes.end() ? 0 : found->second;
}

SafetensorsFile SafetensorsFile::open(const std::string& path) {
  const auto file = std::make_shared<const MappedFile>(path);
  SafetensorsFile result = parse(file->bytes(), path);
  result.file_ = file;
  return result;
}

SafetensorsFile SafetensorsFile::parse(std::span<const std::byte> bytes, const std::string& name) {
  if (bytes.size() < kPrefix)
    fail_input("{}: {} bytes are too few for a safetensors file", name, bytes.size());
  uint64_t length = 0;
  for (size_t i = 0; i < kPrefix; ++i) length |= static_cast<uint64_t>(bytes[i]) << (8 * i);
  if (length > kLongestHeader)
    fail_input("{}: not a safetensors file: a header of {} bytes, at most {} are allowed", name, length,
               kLongestHeader);
  if (length > bytes.size() - kPrefix)
    fail_input("{}: cut short: its header has {} bytes, the file only {}", name, length, bytes.size());
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + kPrefix, length);
  const auto data = bytes.subspan(kPrefix + length);

  SafetensorsFile file;
  file.name_ = name;
  const Json header = parse_header(text, name);
  for (const auto& [key, entry] : header.items()) {
    if (key != kMetadata) {
      file.tensors_.emplace(key,
                            parse_tensor(entry, data, fmt::format("{}: tensor {}", name, in_quotes(key))));
      continue;
    }
    if (!entry.is_object()) fail_input("{}: its metadata is not a JSON object", name);
    for (const auto& [field, value] : entry.items()) {
      if (!value.is_string()) fail_input("{}: its metadata {} is not a text", name, in_quotes(field));
      file.metadata_.emplace(field, value.get<std::string>());
    }
  }
  check_layout(file.tensors_, data, name);
  return file;
}

const TensorView& SafetensorsFile::at(std::string_view tensor) const {
  const auto found = tensors_.find(tensor);
  if (found == tensors_.end()) fail_input("{}: it has no tensor {}", name_, in_quotes(tensor));
  return found->second;
}

void write_safetensors(const std::string& path, const TensorViews& tensors, const Metadata& metadata) {
  std::vector<const TensorViews::value_type*> order;
  for (const auto& tensor : tensors) {
    const auto& [name, view] = tensor;
    uint64_t bytes = safetensors_dtype_size(view.dtype);
    require(bytes != 0, "tensor {}: unknown dtype {}", name, view.dtype);
    require(name != kMetadata, "no tensor may be called {}", kMetadata);
    for (const int64_t length : view.shape) bytes *= static_cast<uint64_t>(length);
    require(bytes == view.bytes.size(), "tensor {}: {} bytes given, its shape and {} need {}", name,
            view.bytes.size(), view.dtype, bytes);
    order.push_back(&tensor);
  }
  std::stable_sort(order.begin(), order.end(), [](const auto* a, const auto* b) {
    return safetensors_dtype_size(a->second.dtype) > safetensors_dtype_size(b->second.dtype);
  });
  const std::string header = header_of(order, tensors, metadata);
  std::array<std::byte, kPrefix> prefix;
  for (size_t i = 0; i < kPrefix; ++i) prefix[i] = static_cast<std::byte>(header.size() >> (8 * i));

  FileWriter writer(path);
  writer.write(prefix);
  writer.write(header);
  for (const auto* tensor : order) writer.write(tensor->second.bytes);
  writer.commit();
}

}  // namespace heed
