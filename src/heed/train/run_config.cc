#include "heed/train/run_config.h"

#include <filesystem>
#include <system_error>

#include "heed/base/config_yaml.h"
#include "heed/base/file.h"
#include "heed/kernels/cpu_level.h"

namespace heed {
namespace {

namespace fs = std::filesystem;

// Without . and .., which lead where the system would go: out of the folder that a link stands for.
fs::path without_dots(const fs::path& path) {
  fs::path plain;
  for (const fs::path& part : path) {
    if (part == "..") {
      std::error_code error;
      const fs::path real = fs::weakly_canonical(plain, error);
      plain = (error ? plain : real).parent_path();
    } else if (part != ".") {
      plain /= part;
    }
  }
  return plain;
}

void make_absolute(std::string& path, const fs::path& folder) {
  if (!path.empty()) path = without_dots(fs::absolute(folder / path)).string();
}

}  // namespace

void RunConfig::visit(ConfigVisitor& v) {
  v("precision", precision, {"auto", "f32", "bf16"},
    "type of activations; auto: bf16 where the processor multiplies it");
  v.group("data", data, "what to learn from");
  v.group("text", text, "how text becomes tokens");
  v.group("model", model, "the architecture");
  v.group("train", train, "how to learn");
}

DType RunConfig::activations() const {
  if (precision == Precision::automatic) return kernels::multiplies_bf16() ? DType::bf16 : DType::f32;
  return precision == Precision::bf16 ? DType::bf16 : DType::f32;
}

RunConfig read_run_config(const std::string& path, std::span<const std::string> overrides) {
  RunConfig config;
  const bool is_data = path.ends_with(".tsv") || path.ends_with(".tsv.gz");
  if (is_data) config.data.train.tsv = fs::path(path).filename().string();
  read_yaml(is_data ? "" : read_file(path), path, config, overrides);
  const fs::path folder = fs::path(path).parent_path();
  for (CorpusConfig* corpus : {&config.data.train, &config.data.dev}) {
    make_absolute(corpus->source, folder);
    make_absolute(corpus->target, folder);
    make_absolute(corpus->tsv, folder);
  }
  make_absolute(config.text.codes, folder);
  make_absolute(config.train.start, folder);
  for (std::string& teacher : config.train.loss_schedule.distillation.teachers)
    make_absolute(teacher, folder);
  return config;
}

}  // namespace heed
