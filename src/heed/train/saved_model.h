// A model folder, opened for use.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "heed/checkpoint/model_folder.h"
#include "heed/decode/translator.h"
#include "heed/train/run_config.h"

namespace heed {

// The text part that a folder keeps. Throws InputError naming what is missing or damaged.
ModelText load_text(const TextConfig& config, const ModelFolder& folder);

// The model of a configuration, with initial weights, or without a seed with none: they will be loaded.
std::unique_ptr<EncoderDecoder> make_model(const RunConfig& config, const ModelText& text,
                                           std::optional<uint64_t> seed);

// A trained model with all that is needed to use it:
//
//   heed::SavedModel model("runs/mine");
//   std::string german = model.translate("The house is small.");
//
// One object serves one thread at a time.
class SavedModel {
 public:
  // threads 0: as many as the machine has. precision automatic: what the folder's configuration says.
  // Throws InputError when the folder holds no model, a damaged one or one of a newer heed.
  explicit SavedModel(const std::string& folder, int threads = 0, Precision precision = Precision::automatic);

  const RunConfig& config() const { return config_; }
  const ModelText& text() const { return text_; }
  const EncoderDecoder& model() const { return *model_; }
  EncoderDecoder& model() { return *model_; }
  const ModelStamp& stamp() const { return stamp_; }
  const Translator& translator() const { return *translator_; }
  Context& context() { return *context_; }

  // Raw text in, raw text out.
  std::string translate(const std::string& line, const TranslateOptions& options = {});
  std::vector<Translation> translate(const std::vector<std::string>& lines,
                                     const TranslateOptions& options = {});

 private:
  RunConfig config_;
  ModelText text_;
  ModelStamp stamp_;
  std::unique_ptr<EncoderDecoder> model_;
  std::unique_ptr<Translator> translator_;
  std::unique_ptr<Context> context_;
};

}  // namespace heed
