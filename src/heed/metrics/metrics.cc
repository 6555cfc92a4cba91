#include "heed/metrics/metrics.h"

#include "heed/base/text_util.h"
#include "heed/metrics/bleu.h"
#include "heed/metrics/chrf.h"
#include "heed/metrics/classification.h"
#include "heed/metrics/edit_rate.h"
#include "heed/metrics/ter.h"

namespace heed {
namespace {

enum class Scope { kCorpus, kSentence };

// Calls `use` with the empty metric of that name.
template <class Use>
auto with_metric(std::string_view name, const MetricOptions& options, Scope scope, const Use& use) {
  check_metric_name(name);
  if (name == "bleu") {
    BleuOptions bleu;
    bleu.tokenizer = options.tokenizer;
    bleu.lowercase = options.lowercase;
    bleu.effective_order = scope == Scope::kSentence;
    return use(Bleu(bleu));
  }
  if (name == "chrf" || name == "chrf++") {
    ChrfOptions chrf;
    chrf.word_order = name == "chrf" ? 0 : 2;
    chrf.lowercase = options.lowercase;
    chrf.whitespace = options.whitespace;
    return use(Chrf(chrf));
  }
  if (name == "ter") return use(Ter(options.tercom));
  if (name == "wer" || name == "per")
    return use(EditRate({name == "wer" ? EditRateKind::kWer : EditRateKind::kPer, options.pronunciations,
                         options.lowercase}));
  return use(Classification(name == "f1" ? ClassificationScore::kF1 : ClassificationScore::kAccuracy));
}

}  // namespace

std::span<const std::string> metric_names() {
  static const std::string kNames[] = {"bleu", "chrf", "chrf++", "ter", "wer", "per", "accuracy", "f1"};
  return kNames;
}

void check_metric_name(std::string_view name) {
  for (const std::string& known : metric_names())
    if (known == name) return;
  const auto meant = nearest(name, metric_names());
  fail_input("unknown metric {}.{} The metrics are {}", in_quotes(name),
             meant ? fmt::format(" Did you mean {}?", *meant) : "", joined(metric_names()));
}

MetricScore compute_metric(std::string_view name, const Sentences& hypotheses,
                           const ReferenceColumns& columns, const MetricOptions& options) {
  return with_metric(name, options, Scope::kCorpus, [&](auto metric) {
    add_corpus(metric, hypotheses, columns);
    return metric.score();
  });
}

std::vector<MetricScore> compute_sentence_metric(std::string_view name, const Sentences& hypotheses,
                                                 const ReferenceColumns& columns,
                                                 const MetricOptions& options) {
  check_line_counts(hypotheses, columns);
  return with_metric(name, options, Scope::kSentence, [&](const auto& empty) {
    std::vector<MetricScore> scores;
    for (size_t i = 0; i < hypotheses.size(); ++i) {
      auto metric = empty;
      metric.add(hypotheses[i], references_of(columns, i));
      scores.push_back(metric.score());
    }
    return scores;
  });
}

double corpus_bleu(const Sentences& hypotheses, const Sentences& references, MetricTokenizer tokenizer) {
  MetricOptions options;
  options.tokenizer = tokenizer;
  return compute_metric("bleu", hypotheses, {references}, options).score;
}

double corpus_chrf(const Sentences& hypotheses, const Sentences& references) {
  return compute_metric("chrf", hypotheses, {references}).score;
}

}  // namespace heed
