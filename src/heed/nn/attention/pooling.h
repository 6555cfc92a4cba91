// Attention pooling (Yang et al. 2016, eqs. 5 to 7): a sentence's rows become one, by weights that a learned
// vector gives them. It is additive attention asked by one query that is zero. Letters: B sentences, R rows,
// M width of the rows, A width of the scores.
#pragma once

#include <string>
#include <vector>

#include "heed/nn/linear.h"
#include "heed/ops/additive_attention.h"

namespace heed {

class AttentionPooling {
 public:
  AttentionPooling(ParameterStore& store, const std::string& name, int64_t in, int64_t width)
      : keys_(store, name + ".keys", in, width),
        score_(&store.add(name + ".score", {1, width}, Initial::xavier(width, 1))),
        width_(width) {}

  // u_t = tanh(W h_t + b), a = softmax of u_t . u_w over the sentence, sum of a_t h_t: h [R, M] -> [B, M].
  Var operator()(Context& c, const Var& h, const Layout& layout) const {
    return additive_attention(c, Var(queries(c, layout)), layout.one_row_each(), keys_(c, h), h, layout,
                              *score_)
        .out;
  }
  // The weights a of each sentence's rows, on the heap: [1, 1, length].
  std::vector<Tensor> weights(Context& c, const Var& h, const Layout& layout) const {
    return additive_attention_weights(c, queries(c, layout), layout.one_row_each(), keys_(c, h).value, layout,
                                      *score_);
  }

 private:
  Tensor queries(Context& c, const Layout& layout) const {
    return c.zeros(Shape{layout.sentences(), width_});
  }

  Linear keys_;             // W, b
  const Parameter* score_;  // u_w [1, A]
  int64_t width_;
};

}  // namespace heed
