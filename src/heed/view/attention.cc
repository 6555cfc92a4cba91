#include "heed/view/attention.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "heed/base/error.h"
#include "heed/view/text.h"

namespace heed::view {
namespace {

void check_pieces(const WordsOfPieces& words, size_t pieces, const char* side) {
  require(words.word_of_piece.size() == pieces, "joining subwords: {} {} pieces, but words for {}", pieces,
          side, words.word_of_piece.size());
  for (const int32_t word : words.word_of_piece)
    require(word >= 0 && word < static_cast<int32_t>(words.words.size()),
            "joining subwords: a {} piece belongs to word {} of {}", side, word, words.words.size());
}

// The shortest decimal that reads back as the same float.
double shortest(float weight) {
  return std::isfinite(weight) ? std::stod(fmt::format("{}", weight)) : 0.0;
}

std::vector<std::string> cleaned(const std::vector<std::string>& words) {
  std::vector<std::string> out;
  for (const std::string& word : words) out.push_back(clean_text(word));
  return out;
}

}  // namespace

void check_attention(const AttentionMap& map) {
  require(!map.source.empty() && !map.target.empty() && !map.heads.empty(),
          "an attention map needs source words, target words and a head; it has {}, {} and {}",
          map.source.size(), map.target.size(), map.heads.size());
  for (const AttentionHead& head : map.heads)
    require(head.weights.size() == map.source.size() * map.target.size(),
            "attention '{}' has {} weights; {} target and {} source words need {}", head.name,
            head.weights.size(), map.target.size(), map.source.size(), map.source.size() * map.target.size());
}

AttentionMap join_subwords(const AttentionMap& map, const WordsOfPieces& source,
                           const WordsOfPieces& target) {
  check_attention(map);
  check_pieces(source, map.source.size(), "source");
  check_pieces(target, map.target.size(), "target");
  const size_t pieces = map.source.size(), words = source.words.size();
  std::vector<int> rows(target.words.size(), 0);
  for (const int32_t word : target.word_of_piece) ++rows[word];
  AttentionMap out{source.words, target.words, {}};
  out.joined = source.words.size() < map.source.size() || target.words.size() < map.target.size();
  out.title = map.title;
  out.cut = map.cut;
  for (const AttentionHead& head : map.heads) {
    AttentionHead joined{head.name, std::vector<float>(target.words.size() * words, 0.0f)};
    for (size_t t = 0; t < map.target.size(); ++t)
      for (size_t s = 0; s < pieces; ++s)
        joined.weights[target.word_of_piece[t] * words + source.word_of_piece[s]] +=
            head.weights[t * pieces + s] / static_cast<float>(rows[target.word_of_piece[t]]);
    out.heads.push_back(std::move(joined));
  }
  return out;
}

float strongest_word(const WordWeights& text) {
  require(text.words.size() == text.weights.size(), "{} words with {} weights", text.words.size(),
          text.weights.size());
  float strongest = 0;
  for (size_t i = 0; i < text.words.size(); ++i)
    if (text.words[i] != kEndMark) strongest = std::max(strongest, text.weights[i]);
  return strongest;
}

std::string words_note(const WordWeights& text) {
  std::string note =
      text.weights.empty()
          ? std::string("The model does not attend: no word has a weight.")
          : fmt::format("A word's shade is its weight; full shade: {:.3f}, the strongest word.",
                        strongest_word(text));
  if (text.joined) note += " Subwords joined to words: summed.";
  if (text.cut) note.append(" ").append(kTextGoesOn);
  return note;
}

AttentionHead average_head(const AttentionMap& map) {
  check_attention(map);
  AttentionHead average{"average", std::vector<float>(map.heads[0].weights.size(), 0.0f)};
  for (const AttentionHead& head : map.heads)
    for (size_t i = 0; i < head.weights.size(); ++i)
      average.weights[i] += head.weights[i] / static_cast<float>(map.heads.size());
  return average;
}

std::string attention_json(const AttentionMap& map) {
  check_attention(map);
  nlohmann::ordered_json json = {
      {"source", cleaned(map.source)}, {"target", cleaned(map.target)}, {"joined", map.joined}};
  json["heads"] = nlohmann::ordered_json::array();
  for (const AttentionHead& head : map.heads) {
    auto rows = nlohmann::ordered_json::array();
    for (size_t t = 0; t < map.target.size(); ++t) {
      auto row = nlohmann::ordered_json::array();
      for (size_t s = 0; s < map.source.size(); ++s)
        row.push_back(shortest(head.weights[t * map.source.size() + s]));
      rows.push_back(std::move(row));
    }
    json["heads"].push_back({{"name", clean_text(head.name)}, {"weights", std::move(rows)}});
  }
  return json.dump() + "\n";
}

std::string words_json(const WordWeights& text) {
  nlohmann::ordered_json json = {{"label", clean_text(text.label)},
                                 {"probability", text.probability},
                                 {"joined", text.joined},
                                 {"words", cleaned(text.words)}};
  json["weights"] = nlohmann::ordered_json::array();
  for (const float weight : text.weights) json["weights"].push_back(shortest(weight));
  if (text.cut) json["cut"] = true;
  return json.dump() + "\n";
}

}  // namespace heed::view
