#include "heed/nn/attention/guided_loss.h"

#include "heed/base/error.h"

namespace heed {

GuidedLoss::GuidedLoss(const GuidedAttentionOptions& options, const Layout& queries, int64_t layers)
    : options_(options), guided_layers_(options.layer > 0 ? 1 : layers) {
  if (options.weight == 0.0) return;
  if (layers == 0)
    fail_input(
        "train.guided_attention: the model has no attention with a softmax over the whole source; set its "
        "weight to 0");
  if (options.layer > layers)
    fail_input("train.guided_attention.layer {}: {} layers of the model attend to the source", options.layer,
               layers);
  guide_ = guide_of(queries, static_cast<float>(options.width), options.head - 1);
}

void GuidedLoss::add(const Var& sums) {
  if (options_.head > sums.width())
    fail_input("train.guided_attention.head {}: the model's attention has {} heads", options_.head,
               sums.width());
  sums_.push_back(sums);
}

Var GuidedLoss::added_to(Context& c, const Var& loss) const {
  if (sums_.empty()) return loss;
  const int64_t heads = options_.head > 0 ? 1 : sums_.front().width();
  const double factor = options_.weight / static_cast<double>(heads * guided_layers_);
  return add_sums(c, loss, sums_, static_cast<float>(factor));
}

}  // namespace heed
