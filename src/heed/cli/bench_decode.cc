// heed bench decode: a model of random weights translates random sentences, beside its own forward pass.
#include <algorithm>
#include <functional>

#include "heed/autograd/tape.h"
#include "heed/base/random.h"
#include "heed/cli/bench.h"
#include "heed/cli/common.h"
#include "heed/cli/options.h"
#include "heed/decode/search.h"
#include "heed/tensor/thread_pool.h"
#include "heed/train/run_config.h"

namespace heed::cli {
namespace {

struct DecodeOptions {
  BenchModel model = BenchModel::tiny;
  RuntimeOptions runtime;
  int64_t vocabulary = 0;
  int64_t seed = 1;
  int64_t batch = 32;
  int64_t beam = 4;
  int64_t source = 25;
  int64_t steps = 25;
  int64_t sentences = 128;
  int64_t runs = 3;
  bool profile = false;

  void visit(ConfigVisitor& v) {
    v("model", model, {"tiny", "base", "bahdanau", "luong"},
      "Transformers of 4+4 layers, 128/256, 4 heads, or 6+6, 512/2048, 8 heads; recurrent models of 128/256: "
      "conditional GRU with additive attention, or Luong's with bilinear attention");
    runtime.visit(v);
    v("vocabulary", vocabulary, "words; 0: 9712, 32000 for base", between(0, 1e6));
    v("seed", seed, "of the weights", at_least(0));
    v("batch", batch, "sentences at once", between(1, 1e6));
    v("beam", beam, "hypotheses a sentence", between(1, 1000));
    v("source", source, "source tokens of a sentence", between(1, 1e6));
    v("steps", steps, "steps of a sentence, of which the last writes </s>", between(2, 1e6));
    v("sentences", sentences, "sentences in all", between(1, 1e6));
    v("runs", runs, "runs, of which the median is told", between(1, 1e6));
    v("profile", profile, "also print what each op took, on standard error");
  }
};

constexpr int64_t kReservedWords = 3, kLeastWords = kReservedWords + 1;

using TokenLists = std::vector<std::vector<int32_t>>;

TokenLists random_sources(const DecodeOptions& options, int64_t words) {
  TokenLists sources(static_cast<size_t>(options.sentences));
  uint64_t drawn = 0;
  for (auto& source : sources) {
    for (int64_t t = 0; t < options.source; ++t)
      source.push_back(static_cast<int32_t>(
          kReservedWords + uniform_below(1, drawn++, static_cast<uint64_t>(words - kReservedWords))));
    source.push_back(kEndToken);
  }
  return sources;
}

// Tokens a second, the median of the runs. work(begin) does the batch that begins there, and tells its
// tokens.
double median_rate(const DecodeOptions& options, const std::function<int64_t(size_t begin)>& work) {
  work(0);  // packs the weights
  std::vector<double> rates;
  for (int64_t run = 0; run < options.runs; ++run) {
    const Stopwatch watch;
    int64_t tokens = 0;
    for (int64_t begin = 0; begin < options.sentences; begin += options.batch)
      tokens += work(static_cast<size_t>(begin));
    rates.push_back(static_cast<double>(tokens) / watch.seconds());
  }
  std::sort(rates.begin(), rates.end());
  return rates[rates.size() / 2];
}

}  // namespace

int bench_decode(Arguments arguments) {
  DecodeOptions options;
  OptionParser parser("heed bench decode",
                      "Measures the speed of decoding with random weights and prints one JSON line.");
  parser.bind(options).parse(arguments);

  RunConfig config;
  config.precision = options.runtime.precision;
  Context c(thread_count(options.runtime.threads), config.activations());
  const int64_t words = options.vocabulary > 0              ? options.vocabulary
                        : options.model == BenchModel::base ? 32000
                                                            : 9712;
  if (words < kLeastWords || options.beam > words)
    fail_input("--vocabulary {}: expected at least {} words, and as many as --beam {}", words, kLeastWords,
               options.beam);
  const auto model =
      make_encoder_decoder(config_of(options.model), words, words, static_cast<uint64_t>(options.seed));
  const TokenLists sources = random_sources(options, words);
  const auto batch_of = [&](const TokenLists& sentences, size_t begin) {
    const size_t end = std::min(begin + static_cast<size_t>(options.batch), sentences.size());
    return make_field(std::span(sentences).subspan(begin, end - begin));
  };

  // Teacher forcing as in training, dropout included, without its gradient; a target as long as the output.
  std::vector<int32_t> output(static_cast<size_t>(options.steps), kUnknownToken);
  output.back() = kEndToken;
  const TokenLists targets(sources.size(), output);
  const double forward = median_rate(options, [&](size_t begin) {
    const TokenField target = batch_of(targets, begin);
    const AsInTraining mode(c);
    model->loss(c, batch_of(sources, begin), target, LossOptions{});
    c.arena.reset();
    return target.layout.rows();
  });

  SearchOptions search_options;
  search_options.beam = options.beam;
  search_options.min_length = search_options.max_length = options.steps - 1;
  const auto decoder = model->step_decoder();
  Profile profile;
  if (options.profile) c.profile = &profile;
  const double decoded = median_rate(options, [&](size_t begin) {
    const auto found = search(c, *decoder, batch_of(sources, begin), search_options);
    return static_cast<int64_t>(found.size()) * options.steps;
  });
  if (options.profile) std::fputs(profile.table().c_str(), stderr);

  const double hypotheses = decoded * static_cast<double>(options.beam);
  JsonWriter json;
  add_common(json, options.model, c);
  json.field("batch", options.batch).field("beam", options.beam).field("source", options.source);
  json.field("steps", options.steps).field("output_tokens_per_s", decoded);
  const int64_t at_once = std::min(options.batch, options.sentences);
  json.field("ms_a_batch", 1000.0 * static_cast<double>(at_once * options.steps) / decoded);
  json.field("hypothesis_tokens_per_s", hypotheses).field("forward_tokens_per_s", forward);
  json.field("ratio_to_forward", hypotheses / forward);
  json.field("peak_rss_mb", peak_rss_mb()).end_object();
  std::puts(json.text().c_str());
  return 0;
}

}  // namespace heed::cli
