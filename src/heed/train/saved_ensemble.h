// Model folders, opened to translate together.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "heed/train/saved_model.h"

namespace heed {

// One model, or several that write one output together: what they expect of the next word is averaged.
//
//   heed::SavedEnsemble ensemble({"runs/one", "runs/other"});
//   std::string german = ensemble.translate({"The house is small."}).front().text();
//
// Text is cut and joined, and activations computed, as the first folder says. One object serves one thread
// at a time.
class SavedEnsemble {
 public:
  // threads 0: one a processor. precision automatic: what the first folder's configuration says. Throws
  // InputError when a folder holds no model that translates, or one that has other words than the first
  // (their order may differ), Error where there is no folder.
  explicit SavedEnsemble(const std::vector<std::string>& folders, int64_t threads = 0,
                         Precision precision = Precision::automatic);

  std::vector<Translation> translate(const std::vector<std::string>& lines,
                                     const TranslateOptions& options = {});

 private:
  std::vector<std::unique_ptr<SavedModel>> models_;
  std::optional<Translator> together_;  // of several
};

}  // namespace heed
