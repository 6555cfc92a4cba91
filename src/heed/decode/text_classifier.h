// Raw text in, classes with their probabilities out.
#pragma once

#include <string>
#include <vector>

#include "heed/base/config.h"
#include "heed/models/classifier.h"
#include "heed/text/text_processor.h"

namespace heed {

struct ClassifyOptions {
  int64_t batch_sentences = 256;
  int64_t batch_tokens = 65536;

  void visit(ConfigVisitor& v);
};

struct ClassifiedText {
  int32_t best = 0;                  // the most probable class; of equals the first
  std::string label;                 // its name
  std::vector<float> probabilities;  // of every class, in the order of the labels
  bool cut = false;                  // the text had more

  double probability() const { return static_cast<double>(probabilities[static_cast<size_t>(best)]); }
};

// What a model reads of a text.
struct ReadText {
  std::vector<int32_t> ids;
  bool cut = false;  // the text had more
};

class TextClassifier {
 public:
  // longest: a text is cut to so many tokens, </s> included; 0: it is read to its end. Both must outlive it.
  TextClassifier(const Classifier& model, const ModelText& text, int64_t longest)
      : model_(model), text_(text), longest_(longest) {}

  // One result a text, in their order; a text has the same probabilities whatever is classified with it.
  // Throws InputError on invalid UTF-8.
  std::vector<ClassifiedText> classify(Context& c, const std::vector<std::string>& texts,
                                       const ClassifyOptions& options = {}) const;

  ReadText read(const std::string& text) const;

 private:
  const Classifier& model_;
  const ModelText& text_;
  int64_t longest_;
};

}  // namespace heed
