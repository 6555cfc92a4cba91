// heed info, heed average, heed tokenize, heed score: small commands around a model folder.
#include <set>

#include "heed/base/config_value.h"
#include "heed/base/file.h"
#include "heed/base/json.h"
#include "heed/base/progress.h"
#include "heed/base/text_util.h"
#include "heed/cli/commands.h"
#include "heed/cli/common.h"
#include "heed/cli/options.h"
#include "heed/data/corpus_reader.h"
#include "heed/decode/scorer.h"
#include "heed/text/unicode.h"
#include "heed/train/weights.h"

namespace heed::cli {
namespace {

struct InfoOptions {
  bool json = false;
  void visit(ConfigVisitor& v) { v("json", json, "one JSON object"); }
};

struct AverageOptions {
  int64_t last = 5;
  std::vector<std::string> updates;
  void visit(ConfigVisitor& v) {
    v("last", last, "average the last so many checkpoints", between(1, 1000));
    v("updates", updates, "average the checkpoints of these updates instead; several with commas between");
  }
};

struct TokenizeOptions {
  std::string input;
  std::string output;
  std::string codes;
  bool target = false;
  bool join = false;
  void visit(ConfigVisitor& v) {
    v("input", input, "text, plain or .gz; - or nothing: standard input");
    v("output", output, "where the pieces go; - or nothing: standard output");
    v("codes", codes, "instead of a model: a subword-nmt codes file");
    v("target", target, "the target side's subwords");
    v("join", join, "the other way round: pieces in, text out");
  }
};

struct ScoreOptions {
  std::string source;
  std::string target;
  std::string output;
  bool json = false;
  int64_t batch_tokens = 4096;
  RuntimeOptions runtime;
  void visit(ConfigVisitor& v) {
    v("source", source, "source sentences, plain or .gz; -: standard input");
    v("target", target, "their translations, as many lines; -: standard input");
    v("output", output, "where the scores go; - or nothing: standard output");
    v("json", json, "one JSON object a line, with each token's log-probability");
    v("batch_tokens", batch_tokens, "tokens scored at once", between(1, 1 << 24));
    runtime.visit(v);
  }
};

// "trained 40,000 updates on 2,100,000 pairs (avx2, heed 0.1.0); dev loss 1.52, bleu 30.90"
std::string training_of(const ModelStamp& stamp, const char* examples) {
  std::string training = fmt::format("trained {} updates", grouped_words(stamp.update));
  if (stamp.examples > 0) training += fmt::format(" on {} {}", grouped_words(stamp.examples), examples);
  training += fmt::format(" ({}, heed {})", stamp.processor, stamp.heed_version);
  const std::string dev = stamp.dev_text();
  return dev.empty() ? training : training + "; " + dev;
}

}  // namespace

int info(Arguments arguments) {
  InfoOptions options;
  std::string path;
  OptionParser parser("heed info", "Tells what a model folder holds.");
  parser.positional("MODEL", path, "the model folder").bind(options);
  parser.parse(arguments);

  const SavedModel model(path, 1);
  const ModelSummary summary = model.model().summary();
  const int64_t parameters = model.model().parameters().count();
  const ModelText& text = model.text();
  if (options.json) {
    JsonWriter json;
    json.begin_object().field("type", summary.type);
    for (const auto& [name, size] : summary.sizes) json.field(name, size);
    json.field("source_words", text.source->vocabulary().size());
    if (model.classifies()) {
      json.key("labels").begin_array();
      for (const std::string& label : text.labels.names()) json.value(label);
      json.end_array();
    } else {
      json.field("target_words", text.target->vocabulary().size());
      json.field("shared_vocabulary", text.shared());
    }
    json.field("parameters", parameters);
    json.field("precision", model.stamp().precision).field("processor", model.stamp().processor);
    json.field("heed_version", model.stamp().heed_version).field("updates", model.stamp().update);
    if (model.stamp().examples > 0) json.field("examples", model.stamp().examples);
    json.key("dev").begin_object();
    for (const auto& [name, value] : model.stamp().dev) json.field(name, value);
    json.end_object().end_object();
    std::puts(json.text().c_str());
    return 0;
  }
  std::puts(fmt::format("{}, {}, {:.1f} M parameters, {}; {}", summary.text, text.sizes(),
                        static_cast<double>(parameters) / 1e6, model.stamp().precision,
                        training_of(model.stamp(), model.classifies() ? "texts" : "pairs"))
                .c_str());
  return 0;
}

int average(Arguments arguments) {
  AverageOptions options;
  std::string path;
  OptionParser parser("heed average", "Averages checkpoints of a training into the folder's weights.");
  parser.positional("MODEL", path, "the model folder").bind(options);
  parser.parse(arguments);
  if (parser.given("last") && parser.given("updates"))
    fail_input("--last and --updates both say which checkpoints; leave one out");

  const ModelFolder folder = ModelFolder::open(path, false);  // weights that are damaged are made anew
  const FolderLock lock(path);
  std::vector<int64_t> updates = folder.checkpoints();
  if (!options.updates.empty()) {
    std::set<int64_t> chosen;
    for (const std::string& word : split_at_commas(options.updates)) {
      const int64_t update = parse_integer("--updates", word, at_least(0));
      if (std::find(updates.begin(), updates.end(), update) == updates.end())
        fail_input("{}: there is no checkpoint of update {}", path, update);
      chosen.insert(update);
    }
    updates.assign(chosen.begin(), chosen.end());
  } else if (static_cast<int64_t>(updates.size()) > options.last) {
    updates.erase(updates.begin(), updates.end() - options.last);
  }
  if (updates.empty()) fail_input("{}: no checkpoints are here to average", path);

  const RunConfig config = load_config(folder);
  const AnyModel model = make_model(config, load_text(config.text, folder), std::nullopt);
  ParameterStore& parameters = model.model().parameters();
  load_average(folder, updates, parameters);
  ModelStamp stamp = folder.open_checkpoint(updates.back()).stamp;
  if (updates.size() > 1) stamp.dev.clear();  // the mean was not measured
  folder.write_weights(weight_views(parameters), stamp);
  std::fprintf(stderr, "averaged %zu checkpoint%s, updates %lld to %lld, into %s\n", updates.size(),
               updates.size() == 1 ? "" : "s", static_cast<long long>(updates.front()),
               static_cast<long long>(updates.back()), folder.file("model.safetensors").c_str());
  return 0;
}

int tokenize(Arguments arguments) {
  TokenizeOptions options;
  std::string path;
  OptionParser parser("heed tokenize", "Cuts text into a model's subwords, or joins them again.");
  parser.positional("MODEL", path, "the model folder, unless --codes names a codes file", false)
      .shorthand('i', "input")
      .shorthand('o', "output")
      .bind(options);
  parser.parse(arguments);
  if (path.empty() == options.codes.empty())
    fail_input("heed tokenize needs a model folder or --codes, one of them");
  if (options.target && !options.codes.empty())
    fail_input("--target chooses a side of a model; --codes has one side only: leave --target out");

  std::unique_ptr<const Segmenter> of_codes;
  ModelText text;
  if (!options.codes.empty()) {
    of_codes = make_bpe_segmenter(read_codes(options.codes), options.codes);
  } else {
    const ModelFolder folder = ModelFolder::open(path);
    const RunConfig config = load_config(folder);
    text = load_text(config.text, folder);
  }
  if (options.target && !text.target && !of_codes)
    fail_input("{}: a classifier has no target side; leave --target out", path);
  const TextProcessor* side = options.target ? text.target.get() : text.source.get();
  LineReader reader = open_input(options.input);
  Output output(options.output);
  constexpr int64_t kBlock = 4096;
  for_blocks_of_lines(reader, kBlock, [&](const std::vector<std::string>& lines) {
    for (const std::string& line : lines) {
      if (options.join) {
        std::vector<std::string> pieces = split(line, ' ');
        std::erase(pieces, "");
        output.line(of_codes ? of_codes->join(pieces) : side->join(pieces));
      } else {
        output.line(joined(of_codes ? of_codes->split(line) : side->split(line), " "));
      }
    }
    output.flush();
  });
  output.commit();
  return 0;
}

namespace {

std::string as_json(const ScoredTarget& scored, const std::vector<std::string>& pieces) {
  JsonWriter json;
  json.begin_object().field("log_prob", scored.log_prob);
  json.field("tokens", static_cast<int64_t>(scored.token_log_probs.size())).key("pieces").begin_array();
  for (const std::string& piece : pieces) json.value(piece);
  json.end_array().key("token_log_probs").begin_array();
  for (const float log_prob : scored.token_log_probs) json.value(static_cast<double>(log_prob));
  return json.end_array().end_object().text();
}

}  // namespace

int score(Arguments arguments) {
  ScoreOptions options;
  std::string path;
  OptionParser parser("heed score", "The model's log-probability of given translations, a line each.");
  parser.positional("MODEL", path, "the model folder").shorthand('o', "output").bind(options);
  parser.parse(arguments);
  if (options.source.empty() || options.target.empty()) fail_input("heed score needs --source and --target");
  if (is_stream(options.source) && is_stream(options.target))
    fail_input("standard input can be read once: name a file with --source or --target");

  SavedModel model(path, options.runtime.threads, options.runtime.precision);
  const EncoderDecoder& translator = model.encoder_decoder();
  CorpusReader reader({.source = options.source, .target = options.target}, open_input);
  Output output(options.output);
  std::vector<std::vector<int32_t>> sources, targets;
  const auto score_block = [&] {
    const std::vector<ScoredTarget> scored = score_targets(model.context(), translator, sources, targets);
    for (size_t i = 0; i < scored.size(); ++i)
      output.line(options.json ? as_json(scored[i], model.text().target->pieces(targets[i]))
                               : fmt::format("{:.6f}", scored[i].log_prob));
    sources.clear();
    targets.clear();
  };
  const int64_t longest = translator.step_decoder()->longest();
  const auto encoded = [&](const TextProcessor& side, const std::string& text, const std::string& file) {
    std::vector<int32_t> ids = side.encode(text);
    if (static_cast<int64_t>(ids.size()) > longest)
      fail_input("{}: line {} has {} tokens, but the model has only {} positions", file, reader.number(),
                 ids.size(), longest);
    return ids;
  };
  int64_t tokens = 0;
  while (reader.next()) {
    sources.push_back(encoded(*model.text().source, reader.source(), options.source));
    targets.push_back(encoded(*model.text().target, reader.target(), options.target));
    tokens += static_cast<int64_t>(sources.back().size() + targets.back().size());
    if (tokens >= options.batch_tokens) {
      score_block();
      tokens = 0;
    }
  }
  if (!sources.empty()) score_block();
  output.commit();
  return 0;
}

}  // namespace heed::cli
