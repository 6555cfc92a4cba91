#include "heed/checkpoint/model_folder.h"

#include <fcntl.h>
#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <system_error>

#include "heed/base/error.h"
#include "heed/base/file.h"
#include "heed/base/text_util.h"

namespace heed {
namespace {

constexpr const char* kConfig = "config.yaml";
constexpr const char* kWeights = "model.safetensors";
constexpr const char* kCheckpoints = "checkpoints";
constexpr const char* kBest = "best";
constexpr const char* kState = "state.json";
constexpr const char* kWeightsPart = "weights";
constexpr std::string_view kPartEnding = ".safetensors";
constexpr std::string_view kTemporary = ".tmp-";   // begins the name of a checkpoint that is being written
constexpr std::string_view kBefore = "-before";    // ends that of one whose place it takes
constexpr std::string_view kDevKey = "heed.dev.";  // begins the metadata's key of a figure on dev

template <class T>
std::optional<T> number_in(std::string_view text) {
  T number{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<int64_t> whole_number(std::string_view text) {
  const auto number = number_in<int64_t>(text);
  return number && *number >= 0 ? number : std::nullopt;
}

// The update whose checkpoint was being written under this name, or set aside; nothing for another's name.
std::optional<int64_t> update_of_temporary(std::string_view name) {
  if (!name.starts_with(kTemporary)) return std::nullopt;
  name.remove_prefix(kTemporary.size());
  if (name.ends_with(kBefore)) name.remove_suffix(kBefore.size());
  return whole_number(name);
}

void check_name(std::string_view name) {
  const bool good = !name.empty() && name[0] != '.' && name.size() <= 100 &&
                    std::all_of(name.begin(), name.end(), [](char c) {
                      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                             c == '_' || c == '-' || c == '.';
                    });
  require(good, "{} is no name for a file in a model folder", in_quotes(name));
}

void rename_folder(const std::string& from, const std::string& to) {
  if (std::rename(from.c_str(), to.c_str()) != 0)
    fail_input("{}: cannot be written: {}", to, std::system_category().message(errno));
}

// Puts the finished folder in the place of `target`. Both change places in one step where the file system
// can; elsewhere what was there is set aside first, under a name that no reader takes for a checkpoint's.
void swap_into_place(const std::string& finished, const std::string& target, const std::string& aside) {
  if (!folder_exists(target)) return rename_folder(finished, target);
  if (::renameat2(AT_FDCWD, finished.c_str(), AT_FDCWD, target.c_str(), RENAME_EXCHANGE) == 0) {
    remove_tree(finished);
    return;
  }
  remove_tree(aside);
  rename_folder(target, aside);
  rename_folder(finished, target);
  remove_tree(aside);
}

}  // namespace

std::string ModelStamp::dev_text() const {
  const auto loss = dev.find("loss");
  if (loss == dev.end()) return "";
  std::string text = fmt::format("dev loss {:.4f}", loss->second);
  for (const auto& [name, value] : dev)
    if (name != "loss") text += fmt::format(", {} {:.2f}", name, value);
  return text;
}

Metadata ModelStamp::to_metadata() const {
  Metadata metadata = {{"heed.format", std::to_string(format)}, {"heed.version", heed_version},
                       {"heed.precision", precision},           {"heed.processor", processor},
                       {"heed.update", std::to_string(update)}, {"heed.examples", std::to_string(examples)}};
  for (const auto& [name, value] : dev)
    metadata.emplace(std::string(kDevKey) + name, fmt::format("{}", value));
  return metadata;
}

ModelStamp ModelStamp::of(const SafetensorsFile& file) {
  const auto text = [&](std::string_view key) {
    const auto found = file.metadata().find(key);
    return found == file.metadata().end() ? std::string() : found->second;
  };
  const auto format = whole_number(text("heed.format"));
  if (!format) fail_input("{}: not a heed model: its metadata has no heed.format", file.name());
  if (*format > kModelFormat)
    fail_input("{}: written by a newer heed ({}): format {}, this one reads up to {}", file.name(),
               in_quotes(text("heed.version")), *format, kModelFormat);
  ModelStamp stamp{.format = *format,
                   .heed_version = text("heed.version"),
                   .precision = text("heed.precision"),
                   .processor = text("heed.processor"),
                   .update = whole_number(text("heed.update")).value_or(0),
                   .examples = whole_number(text("heed.examples")).value_or(0)};
  for (const auto& [key, value] : file.metadata()) {
    if (!key.starts_with(kDevKey)) continue;
    if (const auto number = number_in<double>(value)) stamp.dev.emplace(key.substr(kDevKey.size()), *number);
  }
  return stamp;
}

const SafetensorsFile& OpenedCheckpoint::part(const std::string& name) const {
  const auto found = parts.find(name);
  if (found == parts.end())
    fail_input("{}: the checkpoint has no {}{} beside it", weights.name(), name, kPartEnding);
  return found->second;
}

ModelFolder ModelFolder::create(const std::string& path) {
  ModelFolder folder(path);
  create_folders(path);
  const std::string checkpoints = folder.file(kCheckpoints);
  const std::vector<std::string> left =
      folder_exists(checkpoints) ? list_folder(checkpoints) : std::vector<std::string>();
  for (const std::string& name : left) {
    const std::string there = checkpoints + "/" + name;
    const std::optional<int64_t> update = update_of_temporary(name);
    // A crash in swap_into_place: what was set aside comes back where nothing has taken its place.
    if (update && name.ends_with(kBefore) && !folder_exists(folder.checkpoint_path(*update)))
      rename_folder(there, folder.checkpoint_path(*update));
    else if (update || is_left_by_writer(name))
      remove_tree(there);
  }
  for (const std::string& name : list_folder(path))
    if (is_left_by_writer(name) && file_exists(folder.file(name))) remove_tree(folder.file(name));
  return folder;
}

ModelFolder ModelFolder::open(const std::string& path, bool weights_count) {
  ModelFolder folder(path);
  if (!folder_exists(path))
    fail_input("{}: {}", path,
               file_exists(path) ? "a file, expected a model folder" : "there is no such model folder");
  if (!file_exists(folder.file(kConfig))) fail_input("{}: not a model folder: it has no {}", path, kConfig);
  // A newer heed is recognised before its configuration is read, which may have keys that this one does not
  // know.
  if (weights_count && folder.has_weights()) folder.read_weights();
  return folder;
}

std::string ModelFolder::file(std::string_view name) const {
  return fmt::format("{}/{}", path_, name);
}

std::string ModelFolder::read_config() const {
  return read_file(file(kConfig));
}

void ModelFolder::write_config(std::string_view yaml) const {
  write_file(file(kConfig), yaml);
}

bool ModelFolder::has_blob(std::string_view name) const {
  check_name(name);
  return file_exists(file(name));
}

std::string ModelFolder::read_blob(std::string_view name) const {
  if (!has_blob(name)) fail_input("{}: the model folder lacks {}", path_, name);
  return read_file(file(name));
}

void ModelFolder::write_blob(std::string_view name, std::string_view bytes) const {
  check_name(name);
  write_file(file(name), bytes);
}

bool ModelFolder::has_weights() const {
  return file_exists(file(kWeights));
}

SafetensorsFile ModelFolder::read_weights() const {
  if (!has_weights())
    fail_input("{}: no weights are here yet; the training has to reach its first validation{}", path_,
               latest() ? fmt::format(", or heed average {} makes them of its checkpoints", path_) : "");
  try {
    SafetensorsFile weights = SafetensorsFile::open(file(kWeights));
    ModelStamp::of(weights);
    return weights;
  } catch (const InputError& error) {
    if (checkpoints().empty()) throw;
    fail_input("{}; heed average {} makes them anew of the checkpoints", error.what(), path_);
  }
}

void ModelFolder::write_weights(const TensorViews& weights, const ModelStamp& stamp) const {
  write_safetensors(file(kWeights), weights, stamp.to_metadata());
}

std::string ModelFolder::checkpoint_path(int64_t update) const {
  return fmt::format("{}/{}/{:06}", path_, kCheckpoints, update);
}

std::vector<int64_t> ModelFolder::checkpoints() const {
  std::vector<int64_t> updates;
  if (!folder_exists(file(kCheckpoints))) return updates;
  for (const std::string& name : list_folder(file(kCheckpoints))) {
    const auto update = whole_number(name);
    if (update && checkpoint_path(*update).ends_with("/" + name)) updates.push_back(*update);
  }
  std::sort(updates.begin(), updates.end());
  return updates;
}

std::optional<int64_t> ModelFolder::latest() const {
  const std::vector<int64_t> updates = checkpoints();
  return updates.empty() ? std::nullopt : std::optional(updates.back());
}

std::optional<int64_t> ModelFolder::best() const {
  const std::string path = fmt::format("{}/{}", file(kCheckpoints), kBest);
  if (!file_exists(path)) return std::nullopt;
  std::string text = read_file(path);
  while (!text.empty() && text.back() == '\n') text.pop_back();
  const auto update = whole_number(text);
  if (!update) fail_input("{}: found {}, expected the number of a checkpoint", path, in_quotes(text));
  if (!folder_exists(checkpoint_path(*update)))
    fail_input("{}: names checkpoint {}, which is not there; write the number of one that is into it", path,
               *update);
  return update;
}

void ModelFolder::save_checkpoint(const CheckpointParts& parts, bool best,
                                  std::span<const int64_t> needed) const {
  const int64_t update = parts.stamp.update;
  const std::string target = checkpoint_path(update);
  const std::string temporary = fmt::format("{}/{}{:06}", file(kCheckpoints), kTemporary, update);
  create_folders(file(kCheckpoints));
  remove_tree(temporary);
  create_folders(temporary);
  try {
    const auto part_path = [&](std::string_view name) {
      return fmt::format("{}/{}{}", temporary, name, kPartEnding);
    };
    write_safetensors(part_path(kWeightsPart), parts.weights, parts.stamp.to_metadata());
    for (const auto& [name, tensors] : parts.parts) {
      check_name(name);
      require(name != kWeightsPart, "a checkpoint's part cannot be called {}", name);
      write_safetensors(part_path(name), tensors, parts.stamp.to_metadata());
    }
    write_file(fmt::format("{}/{}", temporary, kState), parts.state);
    sync_folder(temporary);
    swap_into_place(temporary, target, fmt::format("{}{}", temporary, kBefore));
  } catch (...) {
    remove_tree(temporary);
    throw;
  }
  sync_folder(file(kCheckpoints));
  if (best) mark_best(update);
  prune(needed);
}

void ModelFolder::mark_best(int64_t update) const {
  write_file(fmt::format("{}/{}", file(kCheckpoints), kBest), fmt::format("{:06}\n", update));
}

void ModelFolder::prune(std::span<const int64_t> needed) const {
  const std::optional<int64_t> last = latest(), best_one = best();
  for (const int64_t update : checkpoints()) {
    if (update == last || update == best_one || std::ranges::find(needed, update) != needed.end()) continue;
    // Renamed first: a crash in the middle of removing must not leave a part of a checkpoint under its name.
    const std::string doomed = fmt::format("{}/{}{:06}", file(kCheckpoints), kTemporary, update);
    remove_tree(doomed);
    if (std::rename(checkpoint_path(update).c_str(), doomed.c_str()) == 0) remove_tree(doomed);
  }
}

OpenedCheckpoint ModelFolder::open_checkpoint(int64_t update) const {
  const std::string path = checkpoint_path(update);
  if (!folder_exists(path)) {
    std::vector<std::string> there;
    for (const int64_t other : checkpoints()) there.push_back(std::to_string(other));
    fail_input("{}: there is no such checkpoint; there {}", path,
               there.empty() ? "are none" : "is " + joined(there));
  }
  for (const std::string& needed : {fmt::format("{}{}", kWeightsPart, kPartEnding), std::string(kState)})
    if (!file_exists(path + "/" + needed)) fail_input("{}: the checkpoint lacks {}", path, needed);
  OpenedCheckpoint checkpoint;
  checkpoint.weights = SafetensorsFile::open(fmt::format("{}/{}{}", path, kWeightsPart, kPartEnding));
  checkpoint.stamp = ModelStamp::of(checkpoint.weights);
  if (checkpoint.stamp.update != update)
    fail_input("{}: the checkpoint was written at update {}; was the folder renamed?", path,
               checkpoint.stamp.update);
  for (const std::string& name : list_folder(path)) {
    if (!name.ends_with(kPartEnding)) continue;
    const std::string part = name.substr(0, name.size() - kPartEnding.size());
    if (part != kWeightsPart) checkpoint.parts.emplace(part, SafetensorsFile::open(path + "/" + name));
  }
  checkpoint.state = read_file(path + "/" + kState);
  return checkpoint;
}

}  // namespace heed
