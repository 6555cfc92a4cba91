// heed classify
#include "heed/base/json.h"
#include "heed/cli/commands.h"
#include "heed/cli/common.h"
#include "heed/cli/options.h"

namespace heed::cli {
namespace {

struct ClassifyCommand {
  std::string input;
  std::string output;
  ClassifyOptions classify;
  bool json = false;
  int64_t block = 4096;
  RuntimeOptions runtime;

  void visit(ConfigVisitor& v) {
    v("input", input, "texts, one a line, plain or .gz; - or nothing: standard input");
    v("output", output, "where the labels go; - or nothing: standard output");
    classify.visit(v);
    v("json", json, "one JSON object a line, with the probability of every label");
    v("block", block, "lines read before they are classified together", between(1, 1 << 20));
    runtime.visit(v);
  }
};

std::string in_json(const Labels& labels, const ClassifiedText& text) {
  JsonWriter json;
  json.begin_object().field("label", text.label).field("probability", text.probability());
  json.key("probabilities").begin_object();
  for (size_t i = 0; i < text.probabilities.size(); ++i)
    json.field(labels.name(static_cast<int32_t>(i)), static_cast<double>(text.probabilities[i]));
  return json.end_object().end_object().text();
}

}  // namespace

int classify(Arguments arguments) {
  ClassifyCommand options;
  std::string folder;
  OptionParser parser("heed classify", "Names the class of each line of text, with its probability.");
  parser.positional("MODEL", folder, "the model folder")
      .shorthand('i', "input")
      .shorthand('o', "output")
      .bind(options);
  parser.footer(
      "Example: heed classify MODEL -i reviews.txt -o labels && heed evaluate -i labels --reference gold "
      "--metric "
      "accuracy,f1");
  parser.parse(arguments);

  SavedModel model(folder, thread_count(options.runtime.threads), options.runtime.precision);
  const TextClassifier& classifier = model.text_classifier();
  const int64_t block = lines_at_once(options.input, options.block);
  LineReader reader = open_input(options.input);
  Output output(options.output);
  for_blocks_of_lines(reader, block, [&](const std::vector<std::string>& lines) {
    for (const ClassifiedText& text : classifier.classify(model.context(), lines, options.classify))
      output.line(options.json ? in_json(model.text().labels, text)
                               : fmt::format("{}\t{:.4f}", text.label, text.probability()));
    output.flush();
  });
  output.commit();
  return 0;
}

}  // namespace heed::cli
