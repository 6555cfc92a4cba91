// What ops with a weight and a bias check alike.
#pragma once

#include <string_view>

#include "heed/autograd/parameter.h"

namespace heed {

// Throws Error unless the bias, where there is one, has a number for each of the weight's `outer` columns.
inline void require_bias(std::string_view op, const Parameter& weight, const Parameter* bias, int64_t outer) {
  require(bias == nullptr || bias->value().size() == outer, "{} {}: a bias of shape {}, not {}", op,
          weight.name(), bias != nullptr ? bias->shape().to_string() : "", outer);
}

}  // namespace heed
