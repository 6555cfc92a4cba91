// Attention as people look at it: words of the target down, words of the source across, a shade for each
// weight. Letters: T target words, S source words.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "heed/view/scene.h"

namespace heed::view {

// How the end of a sentence, which models read as well, stands among its words, and the beginning of one that
// a decoder reads.
inline constexpr std::string_view kEndMark = "</s>";
inline constexpr std::string_view kBeginMark = "<s>";

struct AttentionHead {
  std::string name;            // "layer 2, head 3", "average"
  std::vector<float> weights;  // [T, S], each row a distribution
};

struct AttentionMap {
  std::vector<std::string> source;  // S
  std::vector<std::string> target;  // T
  std::vector<AttentionHead> heads;
  bool joined = false;     // subwords were joined to words
  std::string title = {};  // "The decoder attends to the source", or nothing
  bool cut = false;        // the source goes on, and the model does not read it
};

// How pieces make words: the word that each piece belongs to, and the words.
struct WordsOfPieces {
  std::vector<int32_t> word_of_piece;
  std::vector<std::string> words;
};

// Throws Error unless every head has T x S weights and there is a head, a source and a target word.
void check_attention(const AttentionMap& map);

// The map over words: weights summed over the pieces of a source word, averaged over those of a target word.
AttentionMap join_subwords(const AttentionMap& map, const WordsOfPieces& source, const WordsOfPieces& target);

// The average of all heads, named "average".
AttentionHead average_head(const AttentionMap& map);

struct TerminalStyle {
  int width = 80;       // columns; a wider map turns its source words, then folds
  bool unicode = true;  // else plain ASCII
  bool colour = false;
};

// One head as text, with a key to its shades, each line ended by a line feed.
std::string attention_text(const AttentionMap& map, size_t head, const TerminalStyle& style = {});

// One head, weights in the cells where there is room.
Scene attention_picture(const AttentionMap& map, size_t head);

// All heads: the first large, the others in small.
Scene attention_pictures(const AttentionMap& map);

// A page of its own: every head, large when chosen.
std::string attention_page(const AttentionMap& map);

// {"source": [..], "target": [..], "joined": bool, "heads": [{"name": .., "weights": [[..]]}]}
std::string attention_json(const AttentionMap& map);

// A text and what a classifier made of it.
struct WordWeights {
  std::vector<std::string> words;  // of the text, and "</s>" where the model reads that as well
  std::vector<float> weights;      // one a word; of a report's text none, where the model does not attend
  std::string label;
  double probability = 0;
  bool joined = false;  // subwords were joined to words
  bool cut = false;     // the text goes on, and the model does not read it
};

// What a picture of a text that was cut says below.
inline constexpr std::string_view kTextGoesOn = "The text goes on; the model reads no further.";

// The largest weight of a word of the text, by which pictures shade. Throws Error when there are not as many
// weights as words.
float strongest_word(const WordWeights& text);

// What stands below a picture of a text: the key to its shades, joined words, a text that was cut.
std::string words_note(const WordWeights& text);

// "positive 0.94   a slow start, but WHAT AN ENDING!": colour behind the words, or the strongest in capitals
// (never </s>).
std::string words_text(const WordWeights& text, const TerminalStyle& style = {});
Scene words_picture(const WordWeights& text, double width = 640);
std::string words_page(const WordWeights& text);
std::string words_json(const WordWeights& text);

// Writes the picture in the format that the name ends in: .svg .png .html .json, or .txt. Any other is an
// InputError. Returns a remark for the user, or nothing, as save_picture does.
std::string save_attention(const std::string& path, const AttentionMap& map);
std::string save_words(const std::string& path, const WordWeights& text);

}  // namespace heed::view
