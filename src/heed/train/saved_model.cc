#include "heed/train/saved_model.h"

#include "heed/base/config_yaml.h"
#include "heed/base/file.h"
#include "heed/decode/scorer.h"
#include "heed/tensor/thread_pool.h"
#include "heed/train/weights.h"

namespace heed {

RunConfig load_config(const ModelFolder& folder) {
  RunConfig config;
  read_yaml(folder.read_config(), folder.file("config.yaml"), config);
  return config;
}

ModelText load_text(const TextConfig& config, const ModelFolder& folder) {
  TextFiles files;
  for (const std::string& name : ModelText::file_names(config))
    if (folder.has_blob(name)) files[name] = folder.read_blob(name);
  return ModelText::load(config, files, folder.path());
}

AnyModel make_model(const RunConfig& config, const ModelText& text, std::optional<uint64_t> seed) {
  const int64_t words = text.source->vocabulary().size();
  if (config.model.classifies())
    return {nullptr, make_classifier(config.model, words, text.labels.size(), seed)};
  return {make_encoder_decoder(config.model, words, text.target->vocabulary().size(), seed), nullptr};
}

SavedModel::SavedModel(const std::string& path, int64_t threads, Precision precision) : path_(path) {
  const ModelFolder folder = ModelFolder::open(path);
  config_ = load_config(folder);
  if (precision != Precision::automatic) config_.precision = precision;
  const SafetensorsFile weights = folder.read_weights();
  text_ = load_text(config_.text, folder);
  model_ = make_model(config_, text_, std::nullopt);
  stamp_ = ModelStamp::of(weights);
  load_weights(weights, model().parameters());
  if (classifies())
    text_classifier_ =
        std::make_unique<TextClassifier>(*model_.classifier, text_, config_.data.longest_read());
  else
    translator_ = std::make_unique<Translator>(*model_.encoder_decoder, text_);
  context_ = std::make_unique<Context>(thread_count(threads), config_.activations());
}

const EncoderDecoder& SavedModel::encoder_decoder() const {
  if (classifies())
    fail_input("{}: the model here is a classifier, which does not translate; use heed classify", path_);
  return *model_.encoder_decoder;
}

const Translator& SavedModel::translator() const {
  static_cast<void>(encoder_decoder());
  return *translator_;
}

const Classifier& SavedModel::classifier() const {
  if (!classifies())
    fail_input("{}: the model here translates, it knows no classes; use heed translate", path_);
  return *model_.classifier;
}

const TextClassifier& SavedModel::text_classifier() const {
  static_cast<void>(classifier());
  return *text_classifier_;
}

std::string SavedModel::translate(const std::string& line, const TranslateOptions& options) {
  return translate(std::vector<std::string>{line}, options).front().text();
}

std::vector<Translation> SavedModel::translate(const std::vector<std::string>& lines,
                                               const TranslateOptions& options) {
  return translator().translate(*context_, lines, options);
}

double SavedModel::score(const std::string& source, const std::string& target) {
  return score_targets(*context_, encoder_decoder(), {text_.source->encode(source)},
                       {text_.target->encode(target)})
      .front()
      .log_prob;
}

}  // namespace heed
