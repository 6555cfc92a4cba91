#include "heed/view/report.h"

#include <fmt/core.h>

#include "heed/base/error.h"
#include "heed/view/page.h"
#include "heed/view/report_sections.h"
#include "heed/view/text.h"

namespace heed::view {

std::string run_label(const std::vector<RunReport>& runs, size_t run) {
  return fmt::format("<span class=\"dot f-{}\"></span>{}",
                     class_of(series_paint(static_cast<int>(run % kSeriesColours))),
                     escape_markup(runs[run].name));
}

namespace {

// The runs' names, where they are few enough to be read; the first table has them all.
std::string title_of(const std::vector<RunReport>& runs) {
  constexpr size_t kMostNamed = 6;
  if (runs.size() > kMostNamed) return fmt::format("{} trainings", runs.size());
  std::string title;
  for (const RunReport& run : runs) title += (title.empty() ? "" : " · ") + clean_text(run.name);
  return title;
}

}  // namespace

std::string report_page(const std::vector<RunReport>& runs) {
  require(!runs.empty(), "a report needs a run");
  const std::string title = title_of(runs);
  std::string body = "<h1>" + escape_markup(title) + "</h1>\n";
  body += overview_section(runs);
  body += curves_section(runs);
  body += samples_section(runs);
  body += attention_section(runs);
  body += words_section(runs);
  body += beam_section(runs);
  body += probability_section(runs);
  body += configuration_section(runs);
  for (const RunReport& run : runs)
    for (const std::string& note : run.log.notes)
      body += "<p class=\"note\">" + escape_markup(note) + ".</p>\n";
  return html_page(title, body);
}

}  // namespace heed::view
