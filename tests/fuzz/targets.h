// What a fuzzer calls with bytes of its own: each parser must either accept them or throw an InputError, and
// what it accepts must keep its promises. Anything else (another exception, a crash, a hang) is a bug.
#pragma once

#include <algorithm>
#include <cmath>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

#include "heed/base/config_yaml.h"
#include "heed/base/error.h"
#include "heed/checkpoint/safetensors.h"
#include "heed/text/sentencepiece.h"
#include "tests/support/sample_config.h"
#include "tests/support/tensorboard.h"

namespace heed::fuzz {

inline void expect(bool condition, const char* what) {
  if (!condition) throw std::logic_error(what);
}

// True if the text was accepted. Then it must read back the same after it is written.
inline bool read_config(std::string_view text) {
  SampleConfig config;
  try {
    read_yaml(text, "fuzz.yaml", config);
  } catch (const InputError&) {
    return false;
  }
  const std::string written = write_yaml(config);
  SampleConfig again;
  read_yaml(written, "again.yaml", again);
  expect(write_yaml(again) == written, "a configuration changes when it is written and read");
  return true;
}

// The same as `--set`.
inline bool read_override(std::string_view text) {
  SampleConfig config;
  const std::string assignment(text);
  try {
    read_yaml("", "fuzz.yaml", config, std::span(&assignment, 1));
  } catch (const InputError&) {
    return false;
  }
  return true;
}

// True if the bytes were accepted. Then every view must lie inside them.
inline bool read_safetensors(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  SafetensorsFile file;
  try {
    file = SafetensorsFile::parse(bytes, "fuzz.safetensors");
  } catch (const InputError&) {
    return false;
  }
  size_t total = 0;
  for (const auto& [name, view] : file.tensors()) {
    size_t size = safetensors_dtype_size(view.dtype);
    for (const int64_t length : view.shape) size *= static_cast<size_t>(length);
    expect(view.bytes.size() == size, "a tensor has other bytes than its shape needs");
    total += size;
    if (!view.bytes.empty()) {
      expect(view.bytes.data() >= bytes.data(), "a tensor begins before the file");
      expect(view.bytes.data() + size <= bytes.data() + bytes.size(), "a tensor ends after the file");
    }
  }
  expect(total <= bytes.size(), "the tensors have more bytes than the file");
  return true;
}

inline bool read_pieces(std::string_view text) {
  try {
    const SentencePieceModel model = load_sentencepiece(std::string(text), "fuzz.spm", {});
    model.segmenter->join(model.segmenter->split("one two"));
  } catch (const InputError&) {
    return false;
  }
  return true;
}

inline bool read_events(std::string_view text) {
  return !read_tensorboard(text).empty();
}

}  // namespace heed::fuzz
