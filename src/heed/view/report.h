// The report: one self-contained HTML page about one or several runs, to look at and to show each other.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "heed/view/attention.h"
#include "heed/view/beam_tree.h"
#include "heed/view/run_log.h"

namespace heed::view {

struct TokenProbability {
  std::string token;
  double probability = 0;
  std::vector<std::pair<std::string, double>> others = {};  // what else was likely, the likeliest first
};

struct ScoredOutput {
  std::string source;
  std::vector<TokenProbability> tokens;
};

// Everything but the name may be empty: the page has the sections that there is something for.
struct RunReport {
  std::string name;
  RunLog log;
  std::vector<std::pair<std::string, std::string>> configuration;  // "model.width", "256"
  std::vector<AttentionMap> attention = {};                        // one a sentence, every layer and head
  std::vector<WordWeights> texts = {};                             // what a classifier read, one a text
  std::vector<BeamTree> beams = {};
  std::vector<ScoredOutput> outputs = {};
  bool classifies = false;  // texts, instead of translating
};

// Throws Error for no run, or for maps and trees that do not fit themselves.
std::string report_page(const std::vector<RunReport>& runs);

}  // namespace heed::view
