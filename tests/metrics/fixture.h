// What sacreBLEU said of the fixture's sentences, and the comparison that all its metrics share.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "heed/metrics/score.h"

namespace heed {

using Lines = std::vector<std::string>;

inline nlohmann::json metrics_fixture() {
  return nlohmann::json::parse(std::ifstream(HEED_SOURCE_DIR "/tests/fixtures/metrics/sacrebleu.json"));
}

// The corpus' line, that of empty hypotheses, and each sentence's score, whose options may differ.
template <class Metric>
void expect_sacrebleu(const nlohmann::json& fixture, const nlohmann::json& c, const auto& corpus_options,
                      const auto& sentence_options) {
  const Lines hypotheses = fixture["hypotheses"];
  std::vector<Lines> references = fixture["references"];
  references.resize(c["references"]);
  Metric corpus(corpus_options);
  add_corpus(corpus, hypotheses, references);
  EXPECT_EQ(corpus.score().line(), c["line"]);
  Metric empty(corpus_options);
  add_corpus(empty, Lines(hypotheses.size()), references);
  EXPECT_EQ(empty.score().line(), c["empty"]);
  for (size_t i = 0; i < hypotheses.size(); ++i) {
    Lines own;
    for (const Lines& column : references) own.push_back(column[i]);
    Metric sentence(sentence_options);
    sentence.add(hypotheses[i], own);
    // The fixture keeps six decimals.
    EXPECT_NEAR(sentence.score().score, c["sentences"][i].get<double>(), 1e-6)
        << c["line"] << " sentence " << i;
  }
}

}  // namespace heed
