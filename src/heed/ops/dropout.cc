#include "heed/ops/dropout.h"

#include "heed/base/text_key.h"
#include "heed/ops/activation.h"

namespace heed {

DropoutSite::DropoutSite(std::string_view name, double probability)
    : probability(static_cast<float>(probability)), site(key_of_text(name)) {
  require(probability >= 0.0 && probability < 1.0, "dropout {} of {}; it must be at least 0 and below 1",
          probability, name);
}

Var dropout(Context& c, const Var& x, const DropoutSite& site, const Layout& layout) {
  return activation(c, x, kernels::Activation::none, site, layout);
}

}  // namespace heed
