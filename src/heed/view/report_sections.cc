#include "heed/view/report_sections.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <map>

#include "heed/view/heat_map.h"
#include "heed/view/text.h"

namespace heed::view {
namespace {

constexpr size_t kMostWords = 400;  // of an output compared word by word

std::vector<std::string> words_of(const std::string& text) {
  std::vector<std::string> words;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(' ', begin), text.size());
    if (end > begin) words.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return words;
}

// The words of `now`, those marked that a longest common subsequence with `before` does not hold.
std::string marked_changes(const std::string& before, const std::string& now) {
  const std::vector<std::string> a = words_of(before), b = words_of(now);
  if (a.size() > kMostWords || b.size() > kMostWords) return escape_markup(now);
  std::vector<std::vector<int>> common(a.size() + 1, std::vector<int>(b.size() + 1, 0));
  for (size_t i = a.size(); i-- > 0;)
    for (size_t j = b.size(); j-- > 0;)
      common[i][j] = a[i] == b[j] ? common[i + 1][j + 1] + 1 : std::max(common[i + 1][j], common[i][j + 1]);
  std::string out;
  for (size_t i = 0, j = 0; j < b.size();) {
    if (i < a.size() && a[i] == b[j]) {
      out += (j > 0 ? " " : "") + escape_markup(b[j]);
      ++i, ++j;
    } else if (i < a.size() && common[i + 1][j] >= common[i][j + 1]) {
      ++i;
    } else {
      out += (j > 0 ? " <ins>" : "<ins>") + escape_markup(b[j]) + "</ins>";
      ++j;
    }
  }
  return out;
}

// A text that is no line of a heading any more is a paragraph.
std::string sentence_heading(const std::string& text) {
  constexpr size_t kLongestHeading = 240;
  const char* const tag = text.size() > kLongestHeading ? "p" : "h3";
  return fmt::format("<{}>{}</{}>\n", tag, escape_markup(text), tag);
}

std::string heading(const std::vector<RunReport>& runs, size_t run, const std::string& text) {
  std::string out;
  if (runs.size() > 1) out += "<p class=\"note\">" + run_label(runs, run) + "</p>\n";
  return text.empty() ? out : out + sentence_heading(text);
}

// How one sentence was translated at each validation; validations without a change are one row.
std::string sample_rows(const RunLog& log, const std::string& source) {
  struct Row {
    int64_t first, last;
    std::string output;
  };
  std::vector<Row> rows;
  for (const ValidationPoint& point : log.validations)
    for (const Sample& sample : point.samples) {
      if (sample.source != source) continue;
      if (!rows.empty() && rows.back().output == sample.output)
        rows.back().last = point.update;
      else
        rows.push_back({point.update, point.update, sample.output});
      break;
    }
  std::string out;
  for (size_t i = 0; i < rows.size(); ++i) {
    const std::string first = pretty_number(static_cast<double>(rows[i].first), 12);
    const std::string last = pretty_number(static_cast<double>(rows[i].last), 12);
    out += fmt::format(
        "<tr><td class=\"number\">{}</td><td>{}</td></tr>\n",
        rows[i].first == rows[i].last ? first : first + "–" + last,
        i == 0 ? escape_markup(rows[i].output) : marked_changes(rows[i - 1].output, rows[i].output));
  }
  return out;
}

// "model.width", which may be broken after its dots and underscores.
std::string with_breaks(const std::string& key) {
  std::string out;
  for (const char letter : escape_markup(key)) {
    out += letter;
    if (letter == '.' || letter == '_') out += "<wbr/>";
  }
  return out;
}

std::string percent(double probability) {
  return fmt::format("{:.0f} %",
                     100 * (std::isfinite(probability) ? std::clamp(probability, 0.0, 1.0) : 0.0));
}

}  // namespace

std::string samples_section(const std::vector<RunReport>& runs) {
  std::vector<Sample> sentences;  // in the order of their first appearance
  for (const RunReport& run : runs)
    for (const ValidationPoint& point : run.log.validations)
      for (const Sample& sample : point.samples)
        if (std::none_of(sentences.begin(), sentences.end(),
                         [&](const Sample& s) { return s.source == sample.source; }))
          sentences.push_back(sample);
  if (sentences.empty()) return "";
  std::string out =
      "<h2>How outputs evolved</h2>\n<p class=\"note\">The output at each validation; marked words are "
      "new.</p>\n";
  for (const Sample& sentence : sentences) {
    out += "<section class=\"card\">\n" + sentence_heading(sentence.source);
    if (!sentence.target.empty())
      out += "<p class=\"note\">reference: " + escape_markup(sentence.target) + "</p>\n";
    for (size_t run = 0; run < runs.size(); ++run) {
      const std::string rows = sample_rows(runs[run].log, sentence.source);
      if (rows.empty()) continue;
      if (runs.size() > 1) out += "<p>" + run_label(runs, run) + "</p>\n";
      out += "<table class=\"wide samples\">\n<tbody>\n" + rows + "</tbody>\n</table>\n";
    }
    out += "</section>\n";
  }
  return out;
}

std::string attention_section(const std::vector<RunReport>& runs) {
  std::string out;
  for (size_t run = 0; run < runs.size(); ++run)
    for (const AttentionMap& map : runs[run].attention) {
      check_attention(map);
      out += "<section class=\"card\">\n" + heading(runs, run, map.title) + attention_figure(map) +
             "</section>\n";
    }
  if (out.empty()) return "";
  return "<h2>Attention</h2>\n<p class=\"note\">Each row is a word that attends, across is what it attends "
         "to; a cell's shade is its weight. Choose a head to see it large.</p>\n" +
         out;
}

std::string words_section(const std::vector<RunReport>& runs) {
  std::string out;
  for (size_t run = 0; run < runs.size(); ++run)
    for (const WordWeights& text : runs[run].texts)
      out += "<section class=\"card\">\n" +
             heading(runs, run, fmt::format("{} {}", text.label, percent(text.probability))) +
             words_figure(text) + "</section>\n";
  if (out.empty()) return "";
  return "<h2>Texts</h2>\n<p class=\"note\">What the classifier made of a text.</p>\n" + out;
}

std::string beam_section(const std::vector<RunReport>& runs) {
  std::string out;
  for (size_t run = 0; run < runs.size(); ++run)
    for (const BeamTree& tree : runs[run].beams)
      out += "<section class=\"card\">\n" + heading(runs, run, tree.source) + "<div class=\"scroll\">" +
             to_svg(beam_picture(tree), SvgUse::inlined) + "</div>\n</section>\n";
  if (out.empty()) return "";
  return "<h2>Beam search</h2>\n<p class=\"note\">Steps across, hypotheses down, each with its "
         "log-probability; a bar at the right end: the hypothesis is finished, and has its score, the "
         "log-probability by its length, which decides. The winner's path is coloured, what was pruned is "
         "grey.</p>\n" +
         out;
}

std::string probability_section(const std::vector<RunReport>& runs) {
  std::string out;
  for (size_t run = 0; run < runs.size(); ++run)
    for (const ScoredOutput& output : runs[run].outputs) {
      out += "<section class=\"card\">\n" + heading(runs, run, output.source) + "<div class=\"tokens\">\n";
      for (const TokenProbability& token : output.tokens) {
        const std::string share = percent(token.probability);
        out += fmt::format(
            "<div class=\"token\"><b>{}</b><span class=\"bar\"><i "
            "style=\"width:{:.0f}%\"></i></span><small>{}</small>",
            escape_markup(token.token),
            100 * (std::isfinite(token.probability) ? std::clamp(token.probability, 0.0, 1.0) : 0), share);
        for (size_t i = 0; i < std::min<size_t>(3, token.others.size()); ++i) {
          const std::string likely = percent(token.others[i].second);
          if (likely == percent(0)) break;
          out += fmt::format("<small>{} {}</small>",
                             escape_markup(shorten(clean_text(token.others[i].first), 16)), likely);
        }
        out += "</div>\n";
      }
      out += "</div>\n</section>\n";
    }
  if (out.empty()) return "";
  return "<h2>Token probabilities</h2>\n<p class=\"note\">What the model gave each token of its output; "
         "below, what else was likely.</p>\n" +
         out;
}

std::string configuration_section(const std::vector<RunReport>& runs) {
  std::vector<std::string> keys;
  std::map<std::string, std::vector<std::string>> values;  // by key, one a run
  for (size_t run = 0; run < runs.size(); ++run)
    for (const auto& [key, value] : runs[run].configuration) {
      auto& row = values[key];
      if (row.empty()) {
        keys.push_back(key);
        row.resize(runs.size(), "–");
      }
      row[run] = value;
    }
  if (keys.empty()) return "";
  std::string head = "<thead><tr><th>key</th>", different, same;
  for (size_t run = 0; run < runs.size(); ++run) head += "<th>" + run_label(runs, run) + "</th>";
  head += "</tr></thead>\n";
  size_t equal = 0;
  for (const std::string& key : keys) {
    const auto& row = values[key];
    const bool is_same =
        std::all_of(row.begin(), row.end(), [&](const std::string& value) { return value == row[0]; });
    std::string cells = "<tr><td><code>" + with_breaks(key) + "</code></td>";
    if (is_same && runs.size() > 1)
      cells += "<td><code>" + escape_markup(row[0]) + "</code></td>";
    else
      for (const std::string& value : row) cells += "<td><code>" + escape_markup(value) + "</code></td>";
    cells += "</tr>\n";
    (is_same ? same : different) += cells;
    equal += is_same;
  }
  std::string out = "<h2>Configuration</h2>\n<section class=\"card scroll\">\n";
  if (runs.size() > 1) {
    out += different.empty()
               ? "<p>No key differs.</p>\n"
               : "<table class=\"settings\">\n" + head + "<tbody>\n" + different + "</tbody>\n</table>\n";
    if (!same.empty())
      out += fmt::format(
          "<details><summary>{} {} the same in all "
          "runs</summary>\n<table class=\"settings\">\n<tbody>\n{}</tbody>\n</table>\n</details>\n",
          equal, equal == 1 ? "key is" : "keys are", same);
  } else {
    out += "<table class=\"settings\">\n<tbody>\n" + same + "</tbody>\n</table>\n";
  }
  return out + "</section>\n";
}

}  // namespace heed::view
