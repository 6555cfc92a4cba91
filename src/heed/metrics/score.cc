#include "heed/metrics/score.h"

#include "heed/base/json.h"
#include "heed/base/text_util.h"

namespace heed {

std::string MetricScore::line() const {
  return fmt::format("{}|{} = {:.2f}{}{}", name, signature, score, details.empty() ? "" : " ", details);
}

std::string MetricScore::json() const {
  JsonWriter json;
  json.begin_object().field("name", name).field("score", score).field("signature", signature);
  if (!details.empty()) json.field("verbose_score", details);
  for (const std::string& part : split(signature, '|')) {
    const size_t colon = part.find(':');
    json.field(part.substr(0, colon), part.substr(colon + 1));
  }
  if (!classes.empty()) {
    json.key("by_class").begin_array();
    for (const ClassScore& c : classes) {
      json.begin_object().field("label", c.label).field("precision", c.precision);
      json.field("recall", c.recall).field("f1", c.f1).field("count", c.count).end_object();
    }
    json.end_array();
  }
  return json.end_object().text();
}

void check_line_counts(const std::vector<std::string>& hypotheses,
                       const std::vector<std::vector<std::string>>& columns) {
  for (size_t r = 0; r < columns.size(); ++r) {
    if (columns[r].size() != hypotheses.size())
      fail_input("there are {} hypotheses but {} lines in reference {}; give one line for each",
                 hypotheses.size(), columns[r].size(), r + 1);
  }
}

std::vector<std::string> references_of(const std::vector<std::vector<std::string>>& columns,
                                       size_t sentence) {
  std::vector<std::string> references;
  for (const auto& column : columns) references.push_back(column[sentence]);
  return references;
}

}  // namespace heed
