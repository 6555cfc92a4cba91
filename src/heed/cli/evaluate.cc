// heed evaluate
#include <algorithm>

#include "heed/base/text_util.h"
#include "heed/cli/commands.h"
#include "heed/cli/common.h"
#include "heed/cli/options.h"
#include "heed/metrics/metrics.h"

namespace heed::cli {
namespace {

struct EvaluateOptions {
  std::string input;
  std::vector<std::string> reference;
  std::string output;
  std::vector<std::string> metric = {"bleu"};
  bool sentence = false;
  bool json = false;
  MetricOptions metrics;

  void visit(ConfigVisitor& v) {
    v("input", input, "what is evaluated, plain or .gz; - or nothing: standard input");
    v("reference", reference, "what it should be, as many lines; several files: several references");
    v("output", output, "where the scores go; - or nothing: standard output");
    v("metric", metric, "bleu, chrf, chrf++, ter, wer, per, accuracy, f1; several with commas between");
    v("tokenize", metrics.tokenizer, {"13a", "intl", "char", "none"}, "how text is cut for BLEU");
    v("lowercase", metrics.lowercase,
      "capitals do not count in BLEU, chrF, WER and PER (in TER they never do)");
    v("chrf_whitespace", metrics.whitespace, "white space counts as characters");
    v("pronunciations", metrics.pronunciations,
      "for WER and PER: a line is a word's phonemes; references may hold several, with tabs between");
    v("ter_case_sensitive", metrics.tercom.case_sensitive, "capitals count in TER");
    v("ter_normalized", metrics.tercom.normalized, "punctuation is set apart for TER");
    v("ter_no_punct", metrics.tercom.no_punctuation, "punctuation is removed for TER");
    v("ter_asian_support", metrics.tercom.asian, "the two above know ideographs and full-width punctuation");
    v("sentence", sentence, "the scores of each line");
    v("json", json, "one JSON object a line");
  }
};

Sentences read_lines(const std::string& path) {
  LineReader reader = open_input(path);
  Sentences lines;
  for (std::string line; reader.next(line);) lines.push_back(line);
  return lines;
}

std::string shown(const std::string& path) {
  return is_stream(path) ? "standard input" : path;
}

void check(const EvaluateOptions& options, const std::vector<std::string>& metrics) {
  for (const std::string& metric : metrics) check_metric_name(metric);
  if (options.reference.empty()) fail_input("heed evaluate needs --reference, the text to compare with");
  int streams = is_stream(options.input) ? 1 : 0;
  for (const std::string& path : options.reference) streams += is_stream(path) ? 1 : 0;
  if (streams > 1) fail_input("standard input can be read once: name files with -i and --reference");
}

// Options that none of the metrics reads.
void refuse_unread(const OptionParser& parser, const EvaluateOptions& options,
                   const std::vector<std::string>& metrics) {
  static const std::pair<const char*, std::vector<std::string>> kReaders[] = {
      {"tokenize", {"bleu"}},
      {"lowercase", {"bleu", "chrf", "chrf++", "wer", "per"}},
      {"chrf_whitespace", {"chrf", "chrf++"}},
      {"pronunciations", {"wer", "per"}},
      {"ter_case_sensitive", {"ter"}},
      {"ter_normalized", {"ter"}},
      {"ter_no_punct", {"ter"}},
      {"ter_asian_support", {"ter"}}};
  for (const auto& [key, readers] : kReaders) {
    const bool is_read =
        std::find_first_of(metrics.begin(), metrics.end(), readers.begin(), readers.end()) != metrics.end();
    if (parser.given(key) && !is_read)
      fail_input("--{} is for --metric {}, and none of these is asked for; leave it out", option_name(key),
                 joined(readers, ", "));
  }
  if (options.metrics.tercom.asian && !options.metrics.tercom.normalized &&
      !options.metrics.tercom.no_punctuation)
    fail_input("--ter-asian-support does something with --ter-normalized or --ter-no-punct only");
}

void write(Output& output, const MetricScore& score, bool as_json) {
  output.line(as_json ? score.json() : score.line());
  if (as_json) return;
  for (const ClassScore& c : score.classes)
    output.line(fmt::format("  {}: precision {:.2f}, recall {:.2f}, F1 {:.2f}, count {}", c.label,
                            c.precision, c.recall, c.f1, c.count));
}

}  // namespace

int evaluate(Arguments arguments) {
  EvaluateOptions options;
  OptionParser parser("heed evaluate", "Scores text against references, with sacreBLEU's digits.");
  parser.shorthand('i', "input").shorthand('o', "output").shorthand('r', "reference").bind(options);
  parser.footer("Example: heed evaluate -i hyp.de --reference test.de --metric bleu,chrf,ter");
  parser.parse(arguments);
  const std::vector<std::string> metrics = split_at_commas(options.metric);
  check(options, metrics);
  refuse_unread(parser, options, metrics);

  const Sentences hypotheses = read_lines(options.input);
  if (hypotheses.empty()) fail_input("{} has no lines to evaluate", shown(options.input));
  ReferenceColumns columns;
  for (const std::string& path : options.reference) {
    columns.push_back(read_lines(path));
    if (columns.back().size() != hypotheses.size())
      fail_input("{} has {} lines but {} has {}; each line needs its reference", shown(options.input),
                 hypotheses.size(), shown(path), columns.back().size());
  }

  Output output(options.output);
  if (options.sentence) {
    std::vector<std::vector<MetricScore>> scores;
    for (const std::string& metric : metrics)
      scores.push_back(compute_sentence_metric(metric, hypotheses, columns, options.metrics));
    for (size_t i = 0; i < hypotheses.size(); ++i)
      for (const auto& of_metric : scores) write(output, of_metric[i], options.json);
  } else {
    for (const std::string& metric : metrics)
      write(output, compute_metric(metric, hypotheses, columns, options.metrics), options.json);
  }
  output.commit();
  return 0;
}

}  // namespace heed::cli
