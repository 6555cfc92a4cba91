#include "heed/train/saved_ensemble.h"

#include "heed/base/error.h"
#include "heed/decode/ensemble.h"

namespace heed {
namespace {

// The ids that a model has for the words of the first one.
std::vector<int32_t> ids_of_member(const TextProcessor& first, const TextProcessor& member, const char* side,
                                   const std::string& folder, const std::string& first_folder) {
  SameWords same = same_words(first.vocabulary(), member.vocabulary());
  if (!same.difference.empty())
    fail_input(
        "{} has other words on the {} side than {} ({}); models that translate together are trained with the "
        "same text settings on data that has the same words",
        folder, side, first_folder, same.difference);
  return std::move(same.ids);
}

}  // namespace

SavedEnsemble::SavedEnsemble(const std::vector<std::string>& folders, int64_t threads, Precision precision) {
  require(!folders.empty(), "an ensemble of no model folders");
  // Only the first one's context is used.
  for (const std::string& folder : folders)
    models_.push_back(std::make_unique<SavedModel>(folder, models_.empty() ? threads : 1, precision));
  static_cast<void>(models_.front()->translator());  // a classifier throws
  if (models_.size() == 1) return;
  const ModelText& text = models_.front()->text();
  std::vector<EnsembleMember> members;
  for (size_t i = 0; i < folders.size(); ++i) {
    const SavedModel& model = *models_[i];
    members.push_back(
        {model.encoder_decoder().step_decoder(),  // a classifier throws
         ids_of_member(*text.source, *model.text().source, "source", folders[i], folders.front()),
         ids_of_member(*text.target, *model.text().target, "target", folders[i], folders.front())});
  }
  together_.emplace(std::make_unique<EnsembleStepDecoder>(std::move(members)), text);
}

std::vector<Translation> SavedEnsemble::translate(const std::vector<std::string>& lines,
                                                  const TranslateOptions& options) {
  SavedModel& first = *models_.front();
  const Translator& translator = together_ ? *together_ : first.translator();
  return translator.translate(first.context(), lines, options);
}

}  // namespace heed
