// A model folder, opened for use.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "heed/checkpoint/model_folder.h"
#include "heed/decode/text_classifier.h"
#include "heed/decode/translator.h"
#include "heed/train/run_config.h"

namespace heed {

// The configuration that a folder keeps. Throws InputError with file and line.
RunConfig load_config(const ModelFolder& folder);

// The text part that a folder keeps. Throws InputError naming what is missing or damaged.
ModelText load_text(const TextConfig& config, const ModelFolder& folder);

// The model of a configuration, which is one of the two.
struct AnyModel {
  std::unique_ptr<EncoderDecoder> encoder_decoder;
  std::unique_ptr<Classifier> classifier;

  Model& model() const {
    return classifier ? static_cast<Model&>(*classifier) : static_cast<Model&>(*encoder_decoder);
  }
};

// With initial weights, or without a seed with none: they will be loaded.
AnyModel make_model(const RunConfig& config, const ModelText& text, std::optional<uint64_t> seed);

// A trained model with all that is needed to use it:
//
//   heed::SavedModel model("runs/mine");
//   std::string german = model.translate("The house is small.");
//
// One object serves one thread at a time, as its context does. Threads may share its translator() and
// text_classifier(), each with a Context of its own.
class SavedModel {
 public:
  // threads 0: one a processor. precision automatic: what the folder's configuration says.
  // Throws InputError when the folder holds no model, a damaged one or one of a newer heed.
  explicit SavedModel(const std::string& folder, int64_t threads = 0,
                      Precision precision = Precision::automatic);
  // Stays where it is: its parts refer to each other.
  SavedModel(const SavedModel&) = delete;
  SavedModel& operator=(const SavedModel&) = delete;

  const RunConfig& config() const { return config_; }
  const ModelText& text() const { return text_; }
  const Model& model() const { return model_.model(); }
  Model& model() { return model_.model(); }
  const ModelStamp& stamp() const { return stamp_; }
  Context& context() { return *context_; }

  bool classifies() const { return model_.classifier != nullptr; }
  // Of a model that translates; throws InputError for a classifier, and the other way round.
  const EncoderDecoder& encoder_decoder() const;
  const Translator& translator() const;
  const Classifier& classifier() const;
  const TextClassifier& text_classifier() const;

  // Raw text in, raw text out. Throws InputError for a classifier.
  std::string translate(const std::string& line, const TranslateOptions& options = {});
  std::vector<Translation> translate(const std::vector<std::string>& lines,
                                     const TranslateOptions& options = {});
  // The log-probability of this translation of a line. Throws InputError for a classifier, and where either
  // side has more tokens than the model has positions.
  double score(const std::string& source, const std::string& target);

 private:
  std::string path_;
  RunConfig config_;
  ModelText text_;
  ModelStamp stamp_;
  AnyModel model_;
  std::unique_ptr<Translator> translator_;  // one of the two
  std::unique_ptr<TextClassifier> text_classifier_;
  std::unique_ptr<Context> context_;
};

}  // namespace heed
