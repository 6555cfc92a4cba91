// heed attend and heed report: seeing what a model does.
#include "heed/view/look.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <system_error>

#include "heed/base/config_keys.h"
#include "heed/base/config_yaml.h"
#include "heed/base/file.h"
#include "heed/cli/commands.h"
#include "heed/cli/common.h"
#include "heed/cli/options.h"

namespace heed::cli {
namespace {

struct AttendOptions {
  std::string output;
  std::string target;
  view::LookOptions look;
  bool pieces = false;
  bool json = false;
  RuntimeOptions runtime;
  void visit(ConfigVisitor& v) {
    v("output", output, "a picture instead: a name that ends in .svg, .png, .html, .json or .txt");
    v("target", target, "the translation to look at; without it the model's own");
    v("kind", look.kind, {"encoder", "decoder", "source"},
      "which attention: the encoder's or the decoder's to itself, or the decoder's to the source");
    v("layer", look.layer, "which layer, from 1; 0: all", between(0, 1000));
    v("head", look.head, "which head, from 1; 0: all", between(0, 1000));
    v("pieces", pieces, "show subwords instead of joining them to words");
    v("json", json, "one JSON object, as a name that ends in .json gets, on standard output");
    runtime.visit(v);
  }
};

struct ReportOptions {
  std::string output = "report.html";
  std::vector<std::string> sentence;
  int64_t samples = 2;
  SearchOptions search;
  int64_t threads = 0;
  void visit(ConfigVisitor& v) {
    v("output", output, "the page; -: standard output");
    v("sentence", sentence, "a source sentence to look at");
    v("samples", samples, "without --sentence: so many of the sentences that validation logged",
      between(0, 100));
    v("beam", search.beam, "beam of the trees", between(1, 16));
    v("threads", threads, "threads; 0: one a processor", between(0, 1024));
  }
};

// The folders' own names, with as much of what they are in before them as it takes to tell them apart.
std::vector<std::string> names_of_runs(const std::vector<std::string>& folders) {
  std::vector<std::filesystem::path> rest;  // what is not in the name yet
  std::vector<std::string> names;
  const auto add_parent = [&](size_t i) {
    const std::string name = rest[i].filename().string();
    names[i] = names[i].empty() ? name : name + "/" + names[i];
    rest[i] = rest[i].parent_path();
  };
  for (const std::string& folder : folders) {
    std::error_code error;  // a folder that cannot be there is refused where it is opened
    const std::filesystem::path real = std::filesystem::weakly_canonical(folder + "/.", error);
    rest.push_back(error ? std::filesystem::path(folder) : real);
    names.emplace_back();
    add_parent(names.size() - 1);
  }
  for (bool changed = true; changed;) {
    changed = false;
    std::map<std::string, int> bearers;
    for (const std::string& name : names) ++bearers[name];
    for (size_t i = 0; i < names.size(); ++i) {
      if (bearers[names[i]] == 1 || !rest[i].has_filename()) continue;
      add_parent(i);
      changed = true;
    }
  }
  return names;
}

view::RunReport report_of(const std::string& path, const std::string& name, const ReportOptions& options) {
  SavedModel model(path, options.threads);
  view::RunReport report;
  report.name = name;
  report.classifies = model.classifies();
  if (file_exists(path + "/log.jsonl"))
    report.log = view::read_run_log(path + "/log.jsonl");
  else
    report.log.notes.push_back(path + " has no log.jsonl: how it was trained cannot be shown");
  for (const ConfigKey& key : list_keys(visit_of(model.config()))) {
    if (key.type != "group") report.configuration.emplace_back(key.path, key.value);
  }
  std::vector<std::string> sentences = options.sentence;
  if (sentences.empty() && !report.log.validations.empty()) {
    for (const view::Sample& sample : report.log.validations.back().samples) {
      const bool seen = std::find(sentences.begin(), sentences.end(), sample.source) != sentences.end();
      if (!seen && static_cast<int64_t>(sentences.size()) < options.samples)
        sentences.push_back(sample.source);
    }
  }
  for (const std::string& sentence : sentences) {
    if (model.classifies())
      view::look_at_text(model, sentence, report);
    else
      view::look_at_sentence(model, sentence, options.search, report);
  }
  return report;
}

}  // namespace

int attend(Arguments arguments) {
  AttendOptions options;
  std::string folder, sentence;
  OptionParser parser("heed attend", "Shows what a model attends to.");
  parser.positional("MODEL", folder, "the model folder")
      .positional("SENTENCE", sentence, "the source sentence, or the text that a classifier reads")
      .may_be_empty("target")
      .shorthand('o', "output")
      .bind(options);
  parser.parse(arguments);
  options.look.join = !options.pieces;
  if (options.json && !options.output.empty())
    fail_input("heed attend: --json writes to standard output, --output to a file; leave one out");

  SavedModel model(folder, options.runtime.threads, options.runtime.precision);
  if (model.classifies()) {
    for (const char* key : {"target", "kind", "layer", "head"})
      if (parser.given(key))
        fail_input(
            "--{}: {} is a classifier, which has one attention and writes no translation; leave it out", key,
            folder);
    const view::WordWeights words = view::look_at_words(model, sentence, options.look.join);
    if (words.cut) remark(std::string(view::kTextGoesOn));
    if (options.output.empty())
      std::fputs((options.json ? view::words_json(words) : view::words_text(words, terminal_style())).c_str(),
                 stdout);
    else
      remark(view::save_words(options.output, words));
    return 0;
  }
  const auto target = parser.given("target") ? std::optional(options.target) : std::nullopt;
  const view::AttentionMap map = view::look(model, sentence, target, options.look);
  if (map.cut) remark(std::string(view::kTextGoesOn));
  if (options.output.empty())
    std::fputs(
        (options.json ? view::attention_json(map) : view::attention_text(map, 0, terminal_style())).c_str(),
        stdout);
  else
    remark(view::save_attention(options.output, map));
  return 0;
}

int report(Arguments arguments) {
  ReportOptions options;
  std::vector<std::string> folders;
  OptionParser parser("heed report", "Writes one page about one or several trainings.");
  parser.positionals("RUN", folders, "model folders").shorthand('o', "output").bind(options);
  parser.parse(arguments);

  if (!is_stream(options.output) && !options.output.ends_with(".html") && !options.output.ends_with(".htm"))
    fail_input("{}: a report is a page; give its name the ending .html", options.output);

  if (parser.given("sentence") && parser.given("samples"))
    fail_input("--samples counts the sentences of a report without --sentence; leave one of them out");
  if (parser.given("beam") && options.sentence.empty() && options.samples == 0)
    fail_input("--beam is for the search of sentences, and --samples 0 shows none; leave one of them out");

  const std::vector<std::string> names = names_of_runs(folders);
  std::vector<view::RunReport> runs;
  for (size_t i = 0; i < folders.size(); ++i) runs.push_back(report_of(folders[i], names[i], options));
  const bool all_classify =
      std::all_of(runs.begin(), runs.end(), [](const view::RunReport& run) { return run.classifies; });
  if (all_classify && parser.given("beam"))
    fail_input("--beam: a classifier has no search to show; leave it out");
  const std::string page = view::report_page(runs);
  Output output(options.output);
  output.write(page);
  output.commit();
  if (!is_stream(options.output)) std::fprintf(stderr, "%s\n", options.output.c_str());
  return 0;
}

}  // namespace heed::cli
