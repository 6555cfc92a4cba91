// Byte-pair encoding (Sennrich et al. 2016): merge the pair of neighbours that was learnt first, everywhere
// in the word, until none is left.
#include <algorithm>
#include <functional>
#include <limits>
#include <utility>

#include "heed/base/error.h"
#include "heed/base/text_util.h"
#include "heed/text/line_reader.h"
#include "heed/text/segmenter.h"
#include "heed/text/unicode.h"
#include "heed/text/vocabulary.h"

namespace heed {
namespace {

constexpr std::string_view kJoint = "@@";
constexpr std::string_view kWordEnd = "</w>";

// "0.2" of "#version: 0.2", ".0" at the end dropped as subword-nmt does.
std::string_view version_of(std::string_view line) {
  line.remove_prefix(line.find_last_of(" :") + 1);
  while (line.ends_with(".0")) line.remove_suffix(2);
  return line;
}

class BpeSegmenter : public Segmenter {
 public:
  BpeSegmenter(std::string codes, const std::string& name) : codes_(std::move(codes)) {
    std::string_view rest = codes_;
    int64_t number = 0;
    while (!rest.empty()) {
      const size_t end = std::min(rest.find('\n'), rest.size());
      std::string_view line = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      ++number;
      check_line(line, name, number);
      while (line.ends_with('\r') || line.ends_with(' ')) line.remove_suffix(1);
      if (number == 1 && line.starts_with("#version:")) {
        const std::string_view version = version_of(line);
        if (version != "0.1" && version != "0.2")
          fail_input("{}:1: codes of version {}; 0.1 and 0.2 are known", name, in_quotes(version));
        end_is_separate_ = version == "0.1";
        continue;
      }
      if (number == 1) end_is_separate_ = true;  // the first format had no version line
      const size_t space = line.find(' ');
      if (space == 0 || space == line.npos || line.find(' ', space + 1) != line.npos)
        fail_input("{}:{}: {} found where two pieces with one space between them are expected", name, number,
                   in_quotes(line));
      add_merge(line.substr(0, space), line.substr(space + 1));
    }
    if (merges_.empty())
      fail_input("{}: no merges; a codes file as learn-bpe of subword-nmt writes it is expected", name);
  }

  std::vector<std::string> split(std::string_view text) const override {
    std::vector<std::string> pieces;
    Work work;
    while (!text.empty()) {  // only the space separates words, as in subword-nmt
      const size_t end = std::min(text.find(' '), text.size());
      if (end > 0) split_word(text.substr(0, end), work, pieces);
      text.remove_prefix(std::min(end + 1, text.size()));
    }
    return pieces;
  }

  std::string join(std::span<const std::string> pieces) const override {
    std::string text;
    for (size_t i = 0; i < pieces.size(); ++i) {
      std::string_view piece = pieces[i];
      const bool joined = piece.ends_with(kJoint);
      if (joined) piece.remove_suffix(kJoint.size());
      text += piece;
      if (!joined && i + 1 < pieces.size()) text += ' ';
    }
    return text;
  }

  std::vector<int32_t> words(std::span<const std::string> pieces) const override {
    std::vector<int32_t> words;
    int32_t word = 0;
    for (const std::string& piece : pieces) {
      words.push_back(word);
      if (!piece.ends_with(kJoint)) ++word;
    }
    return words;
  }

  std::string serialised() const override { return codes_; }

 private:
  static constexpr int32_t kNone = std::numeric_limits<int32_t>::max();

  struct Merge {
    int32_t rank = kNone;  // kNone: these two do not merge
    int32_t symbol = -1;   // what they become
  };
  // A part of the word, in a list by position.
  struct Part {
    int32_t symbol;  // -1: never learnt
    uint32_t begin;  // bytes of the word
    uint32_t end;
    int32_t previous;  // -1: none
    int32_t next;      // -1: none
    Merge with_next;   // none where the part was merged into the one before it
  };
  // The work on one word; kept from word to word for its memory.
  struct Work {
    std::vector<Part> parts;
    std::vector<std::pair<int32_t, int32_t>>
        queue;  // a heap of (rank, position); what changed since is stale
    std::vector<int32_t> positions;
  };

  static uint64_t pair_key(int32_t left, int32_t right) {
    return static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32 | static_cast<uint32_t>(right);
  }

  int32_t symbol(const std::string& text) {
    return symbols_.emplace(text, static_cast<int32_t>(symbols_.size())).first->second;
  }

  int32_t find_symbol(std::string_view text) const {
    const auto found = symbols_.find(text);
    return found == symbols_.end() ? -1 : found->second;
  }

  // Of a repeated pair the first counts.
  void add_merge(std::string_view left, std::string_view right) {
    const std::string a(left), b(right);
    const uint64_t key = pair_key(symbol(a), symbol(b));
    merges_.emplace(key, Merge{static_cast<int32_t>(merges_.size()), symbol(a + b)});
  }

  Merge merge_of(const Part& left, const Part& right) const {
    if (left.symbol < 0 || right.symbol < 0) return {};
    const auto found = merges_.find(pair_key(left.symbol, right.symbol));
    return found == merges_.end() ? Merge{} : found->second;
  }

  // The characters; the last one carries the end of the word (0.2) or a part of its own does (0.1).
  void cut_characters(std::string_view word, std::vector<Part>& parts) const {
    const auto add = [&](int32_t symbol, size_t begin, size_t end) {
      const auto position = static_cast<int32_t>(parts.size());
      parts.push_back(
          {symbol, static_cast<uint32_t>(begin), static_cast<uint32_t>(end), position - 1, position + 1, {}});
    };
    parts.clear();
    for (size_t begin = 0, end = 0; begin < word.size(); begin = end) {
      end = begin + utf8_length(word[begin]);
      const std::string_view character = word.substr(begin, end - begin);
      const bool last = end == word.size() && !end_is_separate_;
      add(last ? find_symbol(std::string(character).append(kWordEnd)) : find_symbol(character), begin, end);
    }
    if (end_is_separate_) add(find_symbol(kWordEnd), word.size(), word.size());
    parts.back().next = -1;
  }

  void look_up(int32_t position, Work& work) const {
    Part& part = work.parts[position];
    part.with_next = part.next < 0 ? Merge{} : merge_of(part, work.parts[part.next]);
    if (part.with_next.rank == kNone) return;
    work.queue.emplace_back(part.with_next.rank, position);
    std::push_heap(work.queue.begin(), work.queue.end(), std::greater<>());
  }

  void merge_with_next(int32_t position, Work& work) const {
    Part& part = work.parts[position];
    Part& gone = work.parts[part.next];
    part.symbol = part.with_next.symbol;
    part.end = gone.end;
    part.next = gone.next;
    gone.with_next = {};
    if (part.next >= 0) work.parts[part.next].previous = position;
    look_up(position, work);
    if (part.previous >= 0) look_up(part.previous, work);
  }

  // Takes all pairs of the lowest rank, from left to right; of overlapping ones the first (x x x: xx x). Only
  // then come the pairs that these merges made, even those of lower rank: so does apply-bpe.
  void merge_lowest(Work& work) const {
    const int32_t rank = work.queue.front().first;
    work.positions.clear();
    while (!work.queue.empty() && work.queue.front().first == rank) {
      work.positions.push_back(work.queue.front().second);
      std::pop_heap(work.queue.begin(), work.queue.end(), std::greater<>());
      work.queue.pop_back();
    }
    for (const int32_t position : work.positions)
      if (work.parts[position].with_next.rank == rank) merge_with_next(position, work);
  }

  void split_word(std::string_view word, Work& work, std::vector<std::string>& pieces) const {
    cut_characters(word, work.parts);
    for (size_t i = 0; i + 1 < work.parts.size(); ++i) look_up(static_cast<int32_t>(i), work);
    while (!work.queue.empty()) merge_lowest(work);
    for (int32_t i = 0; i >= 0; i = work.parts[i].next) {
      const Part& part = work.parts[i];
      if (part.begin == word.size()) break;  // the end of the word, still alone
      std::string& piece = pieces.emplace_back(word.substr(part.begin, part.end - part.begin));
      if (part.end < word.size()) piece += kJoint;
    }
  }

  std::string codes_;
  bool end_is_separate_ = false;
  StringMap<int32_t> symbols_;
  std::unordered_map<uint64_t, Merge> merges_;
};

}  // namespace

std::unique_ptr<Segmenter> make_bpe_segmenter(std::string codes, const std::string& name) {
  return std::make_unique<BpeSegmenter>(std::move(codes), name);
}

}  // namespace heed
