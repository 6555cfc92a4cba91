// heed translate
#include "heed/base/json.h"
#include "heed/cli/commands.h"
#include "heed/cli/common.h"
#include "heed/cli/options.h"
#include "heed/data/corpus.h"
#include "heed/train/saved_ensemble.h"

namespace heed::cli {
namespace {

struct TranslateCommand {
  std::string input;
  std::string output;
  TranslateOptions translate;
  bool json = false;
  int64_t block = 512;
  RuntimeOptions runtime;

  void visit(ConfigVisitor& v) {
    v("input", input, "text to translate, plain or .gz; - or nothing: standard input");
    v("output", output, "where the translation goes; - or nothing: standard output");
    translate.visit(v);
    v("json", json, "one JSON object a line: scores, subwords, all n-best");
    v("block", block, "lines translated together, at most", between(1, 1 << 20));
    runtime.visit(v);
  }
};

std::string in_json(const std::string& source, const Translation& translation) {
  JsonWriter json;
  json.begin_object().field("source", source).key("source_pieces").begin_array();
  for (const std::string& piece : translation.source_pieces) json.value(piece);
  json.end_array();
  if (translation.cut) json.field("cut", true);
  json.key("hypotheses").begin_array();
  for (const TranslatedHypothesis& h : translation.hypotheses) {
    json.begin_object().field("text", h.text).field("score", h.score).field("log_prob", h.log_prob);
    json.field("ended", h.ended).key("pieces").begin_array();
    for (const std::string& piece : h.pieces) json.value(piece);
    json.end_array().key("token_log_probs").begin_array();
    for (const float log_prob : h.token_log_probs) json.value(static_cast<double>(log_prob));
    json.end_array().end_object();
  }
  json.end_array().end_object();
  return json.text();
}

void write(Output& output, const std::vector<std::string>& lines,
           const std::vector<Translation>& translations, bool as_json, int64_t n_best) {
  for (size_t i = 0; i < lines.size(); ++i) {
    if (as_json) {
      output.line(in_json(lines[i], translations[i]));
      continue;
    }
    // As many lines for every input, so that one knows whose they are.
    const std::vector<TranslatedHypothesis>& found = translations[i].hypotheses;
    for (size_t n = 0; n < static_cast<size_t>(n_best); ++n)
      output.line(n < found.size() ? found[n].text : "");
  }
  output.flush();
}

// Refuses what the chosen way of decoding would not use, and limits that contradict each other.
void check(const TranslateOptions& options, const OptionParser& parser) {
  const SearchOptions& search = options.search;
  if (search.sample && search.beam > 1 && parser.given("beam"))
    fail_input("--beam {} searches and --sample draws; leave one out (--n-best says how many samples)",
               search.beam);
  for (const char* option : {"temperature", "top-k", "top-p", "seed"})
    if (!search.sample && parser.given(option))
      fail_input("--{} is for drawing outputs; add --sample or leave it out", option);
  if (!search.sample && options.n_best > search.beam)
    fail_input("--n-best {} is more than --beam {}", options.n_best, search.beam);
  if (search.max_length > 0 && search.min_length > search.max_length)
    fail_input("--min-length {} is more than --max-length {}", search.min_length, search.max_length);
  options.check();
}

}  // namespace

int translate(Arguments arguments) {
  TranslateCommand options;
  std::vector<std::string> folders;
  OptionParser parser("heed translate", "Translates text, line by line.");
  parser
      .positionals("MODEL", folders,
                   "the model folder; several write one translation together, from the mean of their "
                   "probabilities")
      .shorthand('i', "input")
      .shorthand('o', "output")
      .bind(options);
  parser.parse(arguments);
  check(options.translate, parser);

  SavedEnsemble model(folders, options.runtime.threads, options.runtime.precision);
  LineReader reader = open_input(options.input);
  Output output(options.output);
  LineCount cut;
  int64_t number = 0;
  for_blocks_of_lines(reader, options.block, [&](const std::vector<std::string>& lines) {
    const std::vector<Translation> translations = model.translate(lines, options.translate);
    for (const Translation& translation : translations) {
      ++number;
      if (translation.cut) cut.add(number);
    }
    write(output, lines, translations, options.json, options.translate.n_best);
  });
  output.commit();
  if (cut.count > 0)
    remark(reader.name() + ": " +
           cut.told("longer than --max-source-length or the model's positions, and cut there"));
  return 0;
}

}  // namespace heed::cli
