// What the suites of models do with a loss: its bytes with those of every gradient, and plain gradient
// descent.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>

#include "heed/autograd/tape.h"
#include "heed/models/model.h"
#include "heed/ops/output.h"

namespace heed::test {

using LossInContext = std::function<OutputLoss(Context& c)>;

// The bytes of the loss and of every gradient, with dropout.
inline std::string training_bytes(int threads, DType precision, Model& model, const LossInContext& loss_in) {
  Context c(threads, precision);
  c.arena.fill_with_nan(true);
  c.training = true;
  c.random_key = 5;
  Tape tape;
  const Mode recording(c, &tape, c.training);
  const OutputLoss loss = loss_in(c);
  tape.backward(c, loss.sum);
  std::string bytes(reinterpret_cast<const char*>(loss.row_loss.data<float>()),
                    static_cast<size_t>(loss.row_loss.size()) * sizeof(float));
  for (const auto& parameter : model.parameters().all()) {
    const Tensor gradient = parameter->gradient().take(c);
    EXPECT_TRUE(gradient) << parameter->name();
    bytes.append(reinterpret_cast<const char*>(gradient.data<float>()),
                 static_cast<size_t>(gradient.size()) * sizeof(float));
    EXPECT_TRUE(std::none_of(gradient.data<float>(), gradient.data<float>() + gradient.size(), [](float x) {
      return std::isnan(x);
    })) << parameter->name();
  }
  return bytes;
}

// Goes down the gradient so many times; the loss must fall to a tenth.
inline void expect_learned_by_heart(Context& c, Model& model, int updates, float rate,
                                    const LossInContext& loss_in) {
  float first = 0, last = 0;
  for (int update = 0; update < updates; ++update) {
    Tape tape;
    const Mode recording(c, &tape, c.training);
    const OutputLoss loss = loss_in(c);
    (update == 0 ? first : last) = loss.sum.value.item();
    tape.backward(c, loss.sum);
    for (const auto& parameter : model.parameters().all()) {
      const Tensor gradient = parameter->gradient().take(c);
      ASSERT_TRUE(gradient) << parameter->name();
      for (int64_t i = 0; i < gradient.size(); ++i)
        parameter->value().data<float>()[i] -= rate * gradient.data<float>()[i];
      parameter->forget_packed();
    }
    c.arena.reset();
  }
  EXPECT_LT(last, 0.1f * first);
}

}  // namespace heed::test
