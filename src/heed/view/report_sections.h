// The parts of the report page, each markup of a whole section or nothing.
#pragma once

#include <string>
#include <vector>

#include "heed/view/report.h"

namespace heed::view {

std::string overview_section(const std::vector<RunReport>& runs);
std::string curves_section(const std::vector<RunReport>& runs);
std::string samples_section(const std::vector<RunReport>& runs);
std::string attention_section(const std::vector<RunReport>& runs);
std::string words_section(const std::vector<RunReport>& runs);
std::string beam_section(const std::vector<RunReport>& runs);
std::string probability_section(const std::vector<RunReport>& runs);
std::string configuration_section(const std::vector<RunReport>& runs);

// The run's name with its colour before it.
std::string run_label(const std::vector<RunReport>& runs, size_t run);

}  // namespace heed::view
