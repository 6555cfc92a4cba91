#include "heed/metrics/shift_search.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <tuple>

namespace heed {
namespace {

using Words = std::vector<uint32_t>;

// Tercom's limits, as sacreBLEU has them.
constexpr int64_t kMaxShiftLength = 10;
constexpr int64_t kMaxShiftDistance = 50;  // between the places in hypothesis and reference
constexpr int64_t kMaxCandidates = 1000;   // shifts tried for a sentence
constexpr int64_t kBeamWidth = 25;         // cells on each side of the diagonal
constexpr int32_t kUnreached = 1 << 30;

// kDrop: a word of the hypothesis has no partner; kAdd: a word of the reference has none.
enum class Edit : uint8_t { kNone, kKeep, kReplace, kDrop, kAdd };

// Which words are wrong, and where the reference's words are in the hypothesis.
struct Alignment {
  std::vector<int64_t>
      place;  // of each word of the reference: its partner or the word before, -1 for the start
  std::vector<bool> reference_wrong;
  std::vector<bool> hypothesis_wrong;
};

// Edit distance near the diagonal between a reference and hypotheses that are all of one length. Rows that a
// hypothesis shares with the one before it are kept.
class BeamEditDistance {
 public:
  BeamEditDistance(const Words& reference, int64_t hypothesis_length)
      : reference_(reference), rows_(hypothesis_length + 1) {
    const auto width = static_cast<int64_t>(reference.size());
    rows_[0].cells.resize(width + 1);
    for (int64_t j = 0; j <= width; ++j) rows_[0].cells[j] = {static_cast<int32_t>(j), Edit::kAdd};
    const double slope =
        hypothesis_length > 0 ? static_cast<double>(width) / static_cast<double>(hypothesis_length) : 1;
    int64_t beam = kBeamWidth;
    if (static_cast<double>(beam) < slope / 2) beam = static_cast<int64_t>(std::ceil(slope / 2 + kBeamWidth));
    for (int64_t i = 1; i <= hypothesis_length; ++i) {
      const auto diagonal = static_cast<int64_t>(std::floor(static_cast<double>(i) * slope));
      rows_[i].begin = std::max<int64_t>(0, diagonal - beam);
      const int64_t end = i == hypothesis_length ? width + 1 : std::min(width + 1, diagonal + beam);
      rows_[i].cells.resize(std::max<int64_t>(0, end - rows_[i].begin));
    }
  }

  int64_t edits(const Words& hypothesis) {
    const auto first_new = std::mismatch(known_.begin(), known_.end(), hypothesis.begin(), hypothesis.end());
    for (size_t i = first_new.second - hypothesis.begin(); i < hypothesis.size(); ++i)
      fill_row(i + 1, hypothesis[i]);
    known_ = hypothesis;
    return rows_.back().cells.back().cost;
  }

  // Of the hypothesis measured last.
  Alignment alignment() const {
    std::vector<Edit> path;
    auto i = static_cast<int64_t>(known_.size()), j = static_cast<int64_t>(reference_.size());
    while (i > 0 || j > 0) {
      const Edit edit = rows_[i].cells[j - rows_[i].begin].edit;
      path.push_back(edit);
      if (edit != Edit::kAdd) --i;
      if (edit != Edit::kDrop) --j;
    }
    Alignment alignment;
    for (auto edit = path.rbegin(); edit != path.rend(); ++edit) {
      const bool wrong = *edit != Edit::kKeep;
      if (*edit != Edit::kAdd) alignment.hypothesis_wrong.push_back(wrong);
      if (*edit != Edit::kDrop) {
        alignment.reference_wrong.push_back(wrong);
        alignment.place.push_back(static_cast<int64_t>(alignment.hypothesis_wrong.size()) - 1);
      }
    }
    return alignment;
  }

 private:
  struct Cell {
    int32_t cost = kUnreached;
    Edit edit = Edit::kNone;
  };
  struct Row {
    int64_t begin = 0;  // the column of the first cell
    std::vector<Cell> cells;

    int32_t cost(int64_t column) const {
      const int64_t at = column - begin;
      return at < 0 || at >= static_cast<int64_t>(cells.size()) ? kUnreached : cells[at].cost;
    }
  };

  void fill_row(size_t i, uint32_t word) {
    const Row& above = rows_[i - 1];
    Row& row = rows_[i];
    int32_t left = kUnreached;
    for (int64_t at = 0; at < static_cast<int64_t>(row.cells.size()); ++at) {
      const int64_t j = row.begin + at;
      Cell cell;
      // Of equally good edits the first one counts.
      const auto offer = [&cell](int32_t cost, Edit edit) {
        if (cost < cell.cost) cell = {cost, edit};
      };
      if (j > 0 && reference_[j - 1] == word) offer(above.cost(j - 1), Edit::kKeep);
      if (j > 0 && reference_[j - 1] != word) offer(above.cost(j - 1) + 1, Edit::kReplace);
      offer(above.cost(j) + 1, Edit::kDrop);
      offer(left + 1, Edit::kAdd);
      row.cells[at] = cell;
      left = cell.cost;
    }
  }

  const Words& reference_;
  std::vector<Row> rows_;  // one for each length of the hypothesis' beginning
  Words known_;            // the hypothesis that the rows belong to
};

// Words moved from `start` to before the word that is now at `target`, or within their own place by so many.
Words shifted(const Words& words, int64_t start, int64_t length, int64_t target) {
  Words out = words;
  const auto from = out.begin() + start, to = from + length;
  if (target < start)
    std::rotate(out.begin() + target, from, to);
  else if (target > start + length)
    std::rotate(from, to, out.begin() + target);
  else
    std::rotate(from, to, out.begin() + std::min(target + length, static_cast<int64_t>(out.size())));
  return out;
}

struct Shift {
  int64_t saved = 0;  // edits
  int64_t length = 0;
  int64_t start = 0;
  int64_t target = 0;
  Words words;  // after it; empty: there is none

  bool better_than(const Shift& other) const {
    return std::tuple(saved, length, -start, -target) >
           std::tuple(other.saved, other.length, -other.start, -other.target);
  }
};

bool any_wrong(const std::vector<bool>& wrong, int64_t start, int64_t length) {
  return std::find(wrong.begin() + start, wrong.begin() + start + length, true) !=
         wrong.begin() + start + length;
}

// One round of the search.
class ShiftRound {
 public:
  ShiftRound(const Words& hypothesis, const Words& reference, BeamEditDistance& distance, int64_t& candidates)
      : hypothesis_(hypothesis),
        reference_(reference),
        distance_(distance),
        candidates_(candidates),
        edits_(distance.edits(hypothesis)),
        alignment_(distance.alignment()) {}

  Shift best() {
    const auto hypothesis_length = static_cast<int64_t>(hypothesis_.size());
    const auto reference_length = static_cast<int64_t>(reference_.size());
    for (int64_t start = 0; start < hypothesis_length; ++start) {
      const int64_t end = std::min(reference_length, start + kMaxShiftDistance + 1);
      for (int64_t place = std::max<int64_t>(0, start - kMaxShiftDistance); place < end; ++place) {
        const int64_t longest =
            std::min({kMaxShiftLength, hypothesis_length - start, reference_length - place});
        for (int64_t length = 1;
             length <= longest && hypothesis_[start + length - 1] == reference_[place + length - 1];
             ++length) {
          try_shifts(start, place, length);
          if (candidates_ >= kMaxCandidates) return best_;
        }
      }
    }
    return best_;
  }

 private:
  // Tries to move the words to where the reference has them: `length` words from `place` on.
  void try_shifts(int64_t start, int64_t place, int64_t length) {
    if (!any_wrong(alignment_.hypothesis_wrong, start, length)) return;
    if (!any_wrong(alignment_.reference_wrong, place, length)) return;
    if (alignment_.place[place] >= start && alignment_.place[place] < start + length) return;
    int64_t last_target = -1;
    for (int64_t i = place - 1; i < place + length; ++i) {
      const int64_t target = i < 0 ? 0 : alignment_.place[i] + 1;
      if (target == last_target) continue;
      last_target = target;
      Shift shift = {0, length, start, target, shifted(hypothesis_, start, length, target)};
      shift.saved = edits_ - distance_.edits(shift.words);
      ++candidates_;
      if (best_.words.empty() || shift.better_than(best_)) best_ = std::move(shift);
    }
  }

  const Words& hypothesis_;
  const Words& reference_;
  BeamEditDistance& distance_;
  int64_t& candidates_;
  int64_t edits_;
  Alignment alignment_;
  Shift best_;
};

}  // namespace

int64_t shifted_edits(std::vector<uint32_t> hypothesis, const std::vector<uint32_t>& reference) {
  if (reference.empty()) return static_cast<int64_t>(hypothesis.size());
  BeamEditDistance distance(reference, static_cast<int64_t>(hypothesis.size()));
  int64_t shifts = 0, candidates = 0;
  while (true) {
    Shift shift = ShiftRound(hypothesis, reference, distance, candidates).best();
    if (candidates >= kMaxCandidates || shift.saved <= 0) break;
    ++shifts;
    hypothesis = std::move(shift.words);
  }
  return shifts + distance.edits(hypothesis);
}

}  // namespace heed
