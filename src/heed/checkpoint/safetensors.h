// The safetensors format (Hugging Face): eight bytes of little-endian header length, a JSON header that gives
// every tensor's dtype, shape and offsets, then the data. The reader treats every byte as hostile: whatever
// is wrong is an InputError that names the file and the tensor. Opening costs the header only; data is
// mapped, read when touched.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace heed {

class MappedFile;

// A named block of numbers, row-major. The bytes belong to someone else.
struct TensorView {
  std::string dtype;           // in the format's words: F64 F32 F16 BF16 I64 I32 I16 I8 U64 U32 U16 U8 BOOL
  std::vector<int64_t> shape;  // empty: a single number
  std::span<const std::byte> bytes;
};

using TensorViews = std::map<std::string, TensorView, std::less<>>;
using Metadata = std::map<std::string, std::string, std::less<>>;

// Bytes of one element; 0 for a dtype that the format does not have.
size_t safetensors_dtype_size(std::string_view dtype);

// A file opened for reading. Copies share the mapping; views are valid while one of them lives. The bytes of
// a tensor need not be aligned (heed's own writer aligns them to their element): copy them out with memcpy.
class SafetensorsFile {
 public:
  static SafetensorsFile open(const std::string& path);
  // The same over bytes in memory, which must outlive the result; `name` stands for the file in messages.
  static SafetensorsFile parse(std::span<const std::byte> bytes, const std::string& name);

  const std::string& name() const { return name_; }
  const TensorViews& tensors() const { return tensors_; }
  const Metadata& metadata() const { return metadata_; }
  // Throws InputError naming the file if it has no such tensor.
  const TensorView& at(std::string_view tensor) const;

 private:
  std::string name_;
  std::shared_ptr<const MappedFile> file_;
  TensorViews tensors_;
  Metadata metadata_;
};

// Writes atomically, streaming the views. The same tensors and metadata give the same bytes: data lies by
// falling element size and then by name, so that each tensor is aligned.
void write_safetensors(const std::string& path, const TensorViews& tensors, const Metadata& metadata = {});

}  // namespace heed
