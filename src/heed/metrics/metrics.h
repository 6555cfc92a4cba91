// Metrics by name, for the trainer and the command line: bleu, chrf, chrf++, ter, wer, per, accuracy, f1.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "heed/metrics/metric_text.h"
#include "heed/metrics/score.h"

namespace heed {

struct MetricOptions {
  MetricTokenizer tokenizer = MetricTokenizer::k13a;  // BLEU's
  bool lowercase = false;                             // BLEU, chrF, WER, PER
  bool whitespace = false;                            // chrF: white space counts as characters
  bool pronunciations = false;                        // WER, PER: see edit_rate.h
  TercomOptions tercom;                               // TER's
};

// Hypotheses and references: columns[r][i] is the r-th reference of sentence i.
using Sentences = std::vector<std::string>;
using ReferenceColumns = std::vector<Sentences>;

std::span<const std::string> metric_names();

// Throws InputError for a name that is none, with the nearest that is.
void check_metric_name(std::string_view name);

// Of the whole corpus. Throws InputError for an unknown name, unequal numbers of lines, text that is not
// UTF-8; Error without references.
MetricScore compute_metric(std::string_view name, const Sentences& hypotheses,
                           const ReferenceColumns& columns, const MetricOptions& options = {});

// Of each sentence; BLEU by its effective order.
std::vector<MetricScore> compute_sentence_metric(std::string_view name, const Sentences& hypotheses,
                                                 const ReferenceColumns& columns,
                                                 const MetricOptions& options = {});

// Numbers alone, 0 to 100, against one reference.
double corpus_bleu(const Sentences& hypotheses, const Sentences& references,
                   MetricTokenizer tokenizer = MetricTokenizer::k13a);
double corpus_chrf(const Sentences& hypotheses, const Sentences& references);

}  // namespace heed
