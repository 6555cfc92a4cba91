#include "heed/ops/dropout.h"

#include "heed/ops/activation.h"

namespace heed {

DropoutSite::DropoutSite(std::string_view name, double probability)
    : probability(static_cast<float>(probability)) {
  require(probability >= 0.0 && probability < 1.0, "dropout {} of {}; it must be at least 0 and below 1",
          probability, name);
  for (const char letter : name)
    site = mix64(site, static_cast<uint64_t>(static_cast<unsigned char>(letter)));
}

Var dropout(Context& c, const Var& x, const DropoutSite& site, const Layout& layout) {
  return activation(c, x, kernels::Activation::none, site, layout);
}

}  // namespace heed
