// The model folder, the one thing that training leaves and every command takes:
//
//   config.yaml          the resolved configuration
//   model.safetensors    the weights, with a ModelStamp in the metadata
//   <blobs>              vocabularies, subword codes, SentencePiece models, by their file names
//   log.jsonl            what training reported
//   checkpoints/000120/  one file a part: weights.safetensors, <part>.safetensors, state.json
//   checkpoints/best     the update of the best checkpoint
//
// A crash at any moment leaves each of these as it was or whole: files are written beside and renamed, so is
// a checkpoint's folder. The folder knows names and bytes, not tensors or configurations.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "heed/checkpoint/safetensors.h"

namespace heed {

inline constexpr int64_t kModelFormat = 1;
inline constexpr std::string_view kHeedVersion = "0.1.0";

// What a file of weights says about its making.
struct ModelStamp {
  int64_t format = kModelFormat;
  std::string heed_version{kHeedVersion};
  std::string precision = {};  // f32, bf16
  std::string processor = {};  // level: plain, avx2, avx512, avx512_bf16, amx
  int64_t update = 0;
  int64_t examples = 0;                    // pairs or labelled texts that were trained on; 0: not told
  std::map<std::string, double> dev = {};  // "loss" and metrics of these weights, where they were measured

  // "dev loss 1.5200, bleu 30.90"; empty where nothing was measured.
  std::string dev_text() const;

  Metadata to_metadata() const;
  // Throws InputError if the file is no heed model or comes from a newer format than this heed reads.
  static ModelStamp of(const SafetensorsFile& file);
};

// A checkpoint to be written. Views need to live only during the call.
struct CheckpointParts {
  ModelStamp stamp;  // its `update` names the checkpoint
  TensorViews weights = {};
  std::map<std::string, TensorViews> parts = {};  // "optimiser" and the like
  std::string state = {};                         // the trainer's, as JSON
};

// A checkpoint opened for reading.
struct OpenedCheckpoint {
  ModelStamp stamp;
  SafetensorsFile weights;
  std::map<std::string, SafetensorsFile> parts;
  std::string state;

  // Throws InputError if the checkpoint has no such part.
  const SafetensorsFile& part(const std::string& name) const;
};

class ModelFolder {
 public:
  // Creates the folder if need be and removes what a crash of heed left half-written, nothing else: to be
  // held under a FolderLock.
  static ModelFolder create(const std::string& path);
  // Whatever is there, be it nothing: to ask what it holds.
  static ModelFolder at(const std::string& path) { return ModelFolder(path); }
  // A folder that has a configuration; InputError otherwise, also if its weights, where they count, are
  // damaged or were made by a newer heed.
  static ModelFolder open(const std::string& path, bool weights_count = true);

  const std::string& path() const { return path_; }
  std::string file(std::string_view name) const;

  std::string read_config() const;
  void write_config(std::string_view yaml) const;

  // Blobs are plain files; a name has letters, digits, '_', '-' and '.', and does not begin with '.'.
  bool has_blob(std::string_view name) const;
  std::string read_blob(std::string_view name) const;
  void write_blob(std::string_view name, std::string_view bytes) const;

  bool has_weights() const;
  SafetensorsFile read_weights() const;  // its stamp is checked
  void write_weights(const TensorViews& weights, const ModelStamp& stamp) const;

  // The updates that have a whole checkpoint, rising.
  std::vector<int64_t> checkpoints() const;
  std::optional<int64_t> latest() const;
  std::optional<int64_t> best() const;
  // Writes the checkpoint of its update, in place of one that is there; `best` marks it as the best so far.
  // Then prunes.
  void save_checkpoint(const CheckpointParts& parts, bool best, std::span<const int64_t> needed) const;
  void mark_best(int64_t update) const;
  // Removes the checkpoints of all updates but those needed, the best and the latest.
  void prune(std::span<const int64_t> needed) const;
  OpenedCheckpoint open_checkpoint(int64_t update) const;

 private:
  explicit ModelFolder(std::string path) : path_(std::move(path)) {}
  std::string checkpoint_path(int64_t update) const;

  std::string path_;
};

}  // namespace heed
