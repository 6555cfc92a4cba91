// A beam search as a tree: what was extended at each step, what was pruned, what won.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "heed/view/scene.h"

namespace heed::view {

enum class BeamState {
  expanded,  // stayed in the beam
  pruned,    // was a candidate, fell out
  finished,  // ended, but did not win
  winner,    // the end of the output
};

struct BeamNode {
  int32_t parent = -1;  // index of an earlier node; -1: the first step
  std::string token;
  double log_prob = 0;  // of the hypothesis up to here
  BeamState state = BeamState::expanded;
  double score = 0;  // that by its length, shown where the hypothesis has ended
};

struct BeamTree {
  std::string source;
  std::vector<BeamNode> nodes;  // parents before children
};

// Steps across, hypotheses down, children beside their parents so that no lines cross. Throws Error where a
// parent does not come before its child.
Scene beam_picture(const BeamTree& tree);

}  // namespace heed::view
