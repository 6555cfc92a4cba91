// heed classify
#include "heed/base/json.h"
#include "heed/cli/commands.h"
#include "heed/cli/common.h"
#include "heed/cli/options.h"
#include "heed/view/look.h"

namespace heed::cli {
namespace {

struct ClassifyCommand {
  std::string input;
  std::string output;
  ClassifyOptions classify;
  bool json = false;
  bool attend = false;
  int64_t block = 4096;
  RuntimeOptions runtime;

  void visit(ConfigVisitor& v) {
    v("input", input, "texts, one a line, plain or .gz; - or nothing: standard input");
    v("output", output, "where the labels go; - or nothing: standard output");
    classify.visit(v);
    v("json", json, "one JSON object a line, with the probability of every label");
    v("attend", attend, "show each text, its words by how much the model attends to them");
    v("block", block, "lines classified together, at most", between(1, 1 << 20));
    runtime.visit(v);
  }
};

std::string in_json(const Labels& labels, const ClassifiedText& text) {
  JsonWriter json;
  json.begin_object().field("label", text.label).field("probability", text.probability());
  json.key("probabilities").begin_object();
  for (size_t i = 0; i < text.probabilities.size(); ++i)
    json.field(labels.name(static_cast<int32_t>(i)), static_cast<double>(text.probabilities[i]));
  json.end_object();
  if (text.cut) json.field("cut", true);
  return json.end_object().text();
}

}  // namespace

int classify(Arguments arguments) {
  ClassifyCommand options;
  std::string folder, only;
  OptionParser parser("heed classify", "Names the class of each line of text, with its probability.");
  parser.positional("MODEL", folder, "the model folder")
      .positional("TEXT", only, "a text to classify, instead of --input", false)
      .may_be_empty("TEXT")
      .shorthand('i', "input")
      .shorthand('o', "output")
      .bind(options);
  parser.footer(
      "Example: heed classify MODEL -i reviews.txt -o labels && heed evaluate -i labels --reference gold "
      "--metric accuracy,f1");
  parser.parse(arguments);
  const bool has_text = parser.given("TEXT");
  if (has_text && parser.given("input"))
    fail_input("heed classify: a text and --input {} were given; leave one out", options.input);
  if (options.attend && options.json)
    fail_input("heed classify: --attend shows texts, --json gives numbers; leave one out");
  for (const char* option : {"batch-sentences", "batch-tokens"})
    if (options.attend && parser.given(option))
      fail_input("heed classify: --attend reads line by line; leave --{} out", option);
  for (const char* option : {"block", "batch-sentences", "batch-tokens"})
    if (has_text && parser.given(option))
      fail_input("heed classify: --{} is for lines of --input, and a text was given; leave one out", option);

  SavedModel model(folder, options.runtime.threads, options.runtime.precision);
  const TextClassifier& classifier = model.text_classifier();
  Output output(options.output);
  const view::TerminalStyle style = is_stream(options.output) ? terminal_style() : view::TerminalStyle();
  LineCount cut;
  int64_t number = 0;
  const auto label = [&](const ClassifiedText& text) {
    if (text.cut) cut.add(number);
    if (options.json)
      output.line(in_json(model.text().labels, text));
    else
      output.line(fmt::format("{}\t{:.4f}", text.label, text.probability()));
  };
  const auto attend = [&](const std::string& line) {
    if (model.text().source->split(line).empty()) {
      label(classifier.classify(model.context(), {line}, options.classify).front());
    } else {
      const view::WordWeights words = view::look_at_words(model, line);
      if (words.cut) cut.add(number);
      output.write(view::words_text(words, style));
    }
  };
  const auto classify = [&](const std::vector<std::string>& lines) {
    if (options.attend) {
      for (const std::string& line : lines) ++number, attend(line);
    } else {
      for (const ClassifiedText& text : classifier.classify(model.context(), lines, options.classify))
        ++number, label(text);
    }
    output.flush();
  };
  std::string told;
  if (has_text) {
    classify({only});
    if (cut.count > 0) told = view::kTextGoesOn;
  } else {
    LineReader reader = open_input(options.input);
    for_blocks_of_lines(reader, options.block, classify);
    if (cut.count > 0)
      told = reader.name() + ": " + cut.told("longer than the model reads, and cut there as in training");
  }
  output.commit();
  remark(told);
  return 0;
}

}  // namespace heed::cli
