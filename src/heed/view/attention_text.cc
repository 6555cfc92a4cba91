#include <fmt/core.h>

#include <algorithm>
#include <string>

#include "heed/base/error.h"
#include "heed/view/attention.h"
#include "heed/view/text.h"

namespace heed::view {
namespace {

constexpr int kWordGap = 2;         // blanks between two source words
constexpr int kLongestLabel = 24;   // columns of a target word
constexpr int kLongestTurned = 16;  // letters of a source word written downwards

// A cell's shade: nothing below 5 %, then quarters.
int shade_of(float weight) {
  if (!(weight >= 0.05f)) return 0;
  return weight < 0.25f ? 1 : weight < 0.5f ? 2 : weight < 0.75f ? 3 : 4;
}

const char* shade_text(int shade, bool unicode) {
  static constexpr const char* kBlocks[] = {" ", "░", "▒", "▓", "█"};
  static constexpr const char* kAscii[] = {" ", ".", "+", "x", "#"};
  return (unicode ? kBlocks : kAscii)[shade];
}

// Blues of the 256-colour palette, light enough for dark grounds and dark enough for light ones.
std::string coloured(const std::string& text, int shade, bool colour) {
  static constexpr int kPalette[] = {0, 110, 68, 32, 27};
  return colour && shade > 0 ? fmt::format("\x1b[38;5;{}m{}\x1b[0m", kPalette[shade], text) : text;
}

struct Labels {
  std::vector<std::string> source, target;
  int margin = 0;  // columns of the longest target word
};

Labels labels_of(const AttentionMap& map, const TerminalStyle& style) {
  const auto label = [&](const std::string& word) {
    return style.unicode ? clean_text(word) : to_ascii(word);
  };
  Labels labels;
  for (const std::string& word : map.source) labels.source.push_back(label(word));
  const int longest = std::clamp(style.width / 3, 4, kLongestLabel);
  for (const std::string& word : map.target) {
    labels.target.push_back(shorten(label(word), longest, style.unicode));
    labels.margin = std::max(labels.margin, display_width(labels.target.back()));
  }
  return labels;
}

void trim_line(std::string& out) {
  out.erase(out.find_last_not_of(' ') + 1);
  out += '\n';
}

// Source words first..last across, each column as wide as its word.
void add_across(std::string& out, const AttentionMap& map, const AttentionHead& head, const Labels& labels,
                const TerminalStyle& style) {
  const std::string gap(kWordGap, ' ');
  out += std::string(labels.margin, ' ');
  for (const std::string& word : labels.source) out += gap + word;
  trim_line(out);
  for (size_t t = 0; t < map.target.size(); ++t) {
    out += pad(labels.target[t], labels.margin);
    for (size_t s = 0; s < map.source.size(); ++s) {
      const int shade = shade_of(head.weights[t * map.source.size() + s]);
      const int columns = std::max(1, display_width(labels.source[s]));
      const std::string cell = shade_text(shade, style.unicode);
      const int before = (columns - 1) / 2;
      out += gap + std::string(before, ' ') + coloured(cell, shade, style.colour) +
             std::string(columns - 1 - before, ' ');
    }
    trim_line(out);
  }
}

// Source words written downwards, two columns each (three where a character is wide); words first..last.
void add_turned(std::string& out, const AttentionMap& map, const AttentionHead& head, const Labels& labels,
                const TerminalStyle& style, size_t first, size_t last) {
  std::vector<std::vector<std::string>> letters;
  size_t height = 0;
  for (size_t s = first; s < last; ++s) {
    letters.push_back(clusters(labels.source[s]));
    if (letters.back().size() > kLongestTurned) {
      letters.back().resize(kLongestTurned - 1);
      letters.back().push_back(style.unicode ? "⋮" : "~");
    }
    height = std::max(height, letters.back().size());
  }
  for (size_t row = 0; row < height; ++row) {
    out += std::string(labels.margin, ' ');
    for (const auto& word : letters) {
      // Words stand on the matrix: short ones begin lower.
      const size_t skipped = height - word.size();
      out += " " + pad(row < skipped ? "" : word[row - skipped], 2);
    }
    trim_line(out);
  }
  for (size_t t = 0; t < map.target.size(); ++t) {
    out += pad(labels.target[t], labels.margin);
    for (size_t s = first; s < last; ++s) {
      const int shade = shade_of(head.weights[t * map.source.size() + s]);
      const std::string cell = shade_text(shade, style.unicode);
      out += " " + coloured(cell + cell, shade, style.colour);
    }
    trim_line(out);
  }
}

}  // namespace

std::string attention_text(const AttentionMap& map, size_t head_index, const TerminalStyle& style) {
  check_attention(map);
  require(head_index < map.heads.size(), "attention head {} of {}", head_index, map.heads.size());
  const AttentionHead& head = map.heads[head_index];
  const Labels labels = labels_of(map, style);
  std::string out;
  int across = labels.margin;
  for (const std::string& word : labels.source) across += kWordGap + std::max(1, display_width(word));
  if (across <= style.width) {
    add_across(out, map, head, labels, style);
  } else {
    const size_t fitting = std::max(1, (style.width - labels.margin) / 3);
    for (size_t first = 0; first < map.source.size(); first += fitting) {
      if (first > 0) out += '\n';
      add_turned(out, map, head, labels, style, first, std::min(first + fitting, map.source.size()));
    }
  }
  out += '\n';
  static constexpr const char* kRanges[] = {"", "5-25 %", "25-50 %", "50-75 %", "over 75 %"};
  for (int shade = 1; shade <= 4; ++shade)
    out += fmt::format("{}{} {}", shade > 1 ? "   " : "",
                       coloured(shade_text(shade, style.unicode), shade, style.colour), kRanges[shade]);
  out += fmt::format("   ({}{})\n", style.unicode ? clean_text(head.name) : to_ascii(head.name),
                     map.joined ? "; subwords joined to words" : "");
  return out;
}

std::string words_text(const WordWeights& text, const TerminalStyle& style) {
  const auto shown = [&](const std::string& word) {
    return style.unicode ? clean_text(word) : to_ascii(word);
  };
  const float strongest = strongest_word(text);
  // Strong: at least half of the strongest, and more than an even spread would give.
  const float even = 1.0f / static_cast<float>(std::max<size_t>(1, text.words.size()));
  const auto is_strong = [&](float weight) {
    return weight >= strongest / 2 && (weight > 1.2f * even || text.words.size() == 1);
  };
  std::string out = fmt::format("{} {:.2f}   ", shown(text.label), text.probability);
  const int margin = display_width(out);
  int column = margin;
  const std::vector<bool> blanks = blanks_before(text.words);
  for (size_t i = 0; i < text.words.size(); ++i) {
    std::string word = shown(text.words[i]);
    if (!style.colour && is_strong(text.weights[i]) && word != kEndMark) word = to_upper(word);
    const int columns = display_width(word);
    if (blanks[i] && column + 1 + columns > style.width && column > margin) {
      out += '\n' + std::string(margin, ' ');
      column = margin;
    } else if (blanks[i]) {
      out += ' ';
      ++column;
    }
    column += columns;
    const double share = strongest > 0 ? text.weights[i] / strongest : 0;
    if (style.colour && share >= 0.1) {
      static constexpr int kGround[] = {195, 153, 111, 68, 25};
      const int step = std::min(4, static_cast<int>(share * 5));
      out += fmt::format("\x1b[48;5;{};38;5;{}m{}\x1b[0m", kGround[step], step >= 3 ? 231 : 16, word);
    } else {
      out += word;
    }
  }
  return out + '\n';
}

}  // namespace heed::view
